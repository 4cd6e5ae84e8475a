#!/usr/bin/env bash
# Train a list of recipes, one after the other.
#
#   ./queue.sh RUNS STEP…
#
# A STEP is a recipe, NAME.yaml, whose model is written to RUNS/NAME; or a script, NAME.sh, which gets RUNS as its
# argument. Messages of a step go to RUNS/NAME.log, starts and ends of all steps to RUNS/queue.log. The same command
# skips finished steps and resumes an interrupted recipe from its last checkpoint. The queue stops at a step that
# fails, since later steps may need its result. Two queues never work on the same RUNS. Paths in recipes and scripts
# are those of the folder that the queue is started in.
set -uo pipefail

if (($# < 2)); then
    sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
runs=$1
shift
mkdir -p "$runs" || exit
exec 9>"$runs/queue.lock"
if ! flock --nonblock 9; then
    echo "another queue works on $runs" >&2
    exit 1
fi

log() {
    echo "$(date '+%F %T') $*" | tee -a "$runs/queue.log"
}

for step in "$@"; do
    name=$(basename "${step%.*}")
    case $step in
    *.sh) done=$runs/$name.done command=(bash -euo pipefail "$step" "$runs") ;;
    *) done=$runs/$name/training_log.json command=(hf-spo train "$step" --output "$runs/$name" --resume) ;;
    esac
    if [[ -e $done ]]; then
        log "skip $name"
        continue
    fi
    log "start $name"
    "${command[@]}" >>"$runs/$name.log" 2>&1 9>&-
    code=$?
    log "end $name, exit code $code"
    if ((code != 0)); then
        tail -n 1 "$runs/$name.log" >&2
        exit "$code"
    fi
    [[ $step == *.sh ]] && touch "$done"
done
exit 0
