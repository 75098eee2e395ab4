# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For acceptance scripts that run fuzz targets for long, from the corpora of the tree. Source it after trees.sh.

SECONDS_EACH=${ACCEPT_FUZZ_SECONDS:-600}
# fuzz NOUN: its log and what it found are in ACCEPT_SCRATCH.
fuzz() {
    local found=$ACCEPT_SCRATCH/found.$1
    rm -rf "$found"
    mkdir -p "$found"
    "$ASHLAR_BUILD/tests/fuzz/fuzz_$1" -max_total_time="$SECONDS_EACH" -timeout=5 -max_len=4096 -print_final_stats=1 \
        -dict="tests/fuzz/$1.dict" -artifact_prefix="$ACCEPT_SCRATCH/$1-" "$found" "tests/fuzz/corpus/$1" \
        >"$ACCEPT_SCRATCH/fuzz.$1" 2>&1
}

judge() {
    local executed
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$ACCEPT_SCRATCH/fuzz.$1")
    [ "$2" = 0 ] || tail -n 30 "$ACCEPT_SCRATCH/fuzz.$1" | sed 's/^/    /'
    result "fuzz_$1 for $SECONDS_EACH s finds nothing" "exit $2, ${executed:-?} inputs" "exit 0" "$2"
}

# pair NOUN NOUN: both at once.
pair() {
    local noun rc pids=()
    for noun in "$@"; do
        fuzz "$noun" &
        pids+=($!)
    done
    for noun in "$@"; do
        rc=0
        wait "${pids[0]}" || rc=$?
        pids=("${pids[@]:1}")
        judge "$noun" "$rc"
    done
}
