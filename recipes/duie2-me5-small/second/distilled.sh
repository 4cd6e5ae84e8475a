# Labels of the teachers on labelled and unlabelled sentences. TEACHERS: further models, such as DGCNNs.
runs=$1
teachers=(base "$runs/base2")
for teacher in ${TEACHERS:-}; do
    teachers+=("$teacher")
done
models=()
for number in "${!teachers[@]}"; do
    # The scores of all teachers have to be calibrated.
    hf-spo tune --model "${teachers[number]}" --data duie2/dev.jsonl --output "$runs/teacher-$number"
    models+=(--model "$runs/teacher-$number")
done
hf-spo distill "${models[@]}" --output "$runs/distilled.jsonl" \
    --data duie2/train.jsonl \
    --data ske2019/ske2019_gold.jsonl --data ske2019/ske2019_gold_empty.jsonl --data ske2019/ske2019_partial12.jsonl \
    --texts duie2/unlabelled.txt --texts ske2019/unlabelled_extra.txt
