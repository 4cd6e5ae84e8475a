#!/usr/bin/env bash
# The complete set-up of the source: clean the labels by the votes of K folds; then train K models without and K with a
# prior, average each set and unite the averages.
#
#   [FOLDS=8] [WORDS=FILE] [RELABEL="options"] ./run.sh DATA OUTPUT [training arguments…]
#
# DATA has train.jsonl, dev.jsonl and schema.jsonl, and may have unlabelled.txt. RELABEL holds options of
# `hf-spo relabel`; RELABEL=off keeps the original labels. When the script is started again, it skips finished
# steps and continues an interrupted one.
set -euo pipefail

data=$1 output=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$output"

kfold() { # NAME RECIPE LABELS [training arguments…]
    local name=$1 recipe=$2 labels=$3
    shift 3
    local sources=(--train "$labels" --schema "$data/schema.jsonl")
    [[ -e $data/unlabelled.txt ]] && sources+=(--texts "$data/unlabelled.txt")
    [[ -n ${WORDS:-} ]] && sources+=(--words "$WORDS")
    hf-spo kfold "$here/../$recipe/train.yaml" --folds "${FOLDS:-8}" "${sources[@]}" --output "$output/$name" --resume "$@"
}

ensemble() { # NAME MODEL… [options]
    local name=$1
    shift
    [[ -e $output/$name/config.json ]] || hf-spo ensemble "$@" --output "$output/$name"
}

evaluate() { # NAME
    [[ -e $output/$1.json ]] ||
        hf-spo evaluate --model "$output/$1" --data "$data/dev.jsonl" --match strict --match full --output "$output/$1.json"
}

labels=$data/train.jsonl
if [[ ${RELABEL:-} != off ]]; then
    kfold first duie2-dgcnn "$labels" "$@"
    # shellcheck disable=SC2086  # several options
    [[ -e $output/clean.jsonl ]] ||
        hf-spo relabel --folds "$output/first" --data "$labels" --output "$output/clean.jsonl" ${RELABEL:-}
    labels=$output/clean.jsonl
fi
kfold plain duie2-dgcnn "$labels" "$@"
kfold prior duie2-dgcnn-prior "$labels" "$@"
ensemble plain-average "$output"/plain/fold-*/
ensemble prior-average "$output"/prior/fold-*/
ensemble united "$output/plain-average" "$output/prior-average" --combine union
for name in plain/fold-0 prior/fold-0 plain-average prior-average united; do
    evaluate "$name"
done
