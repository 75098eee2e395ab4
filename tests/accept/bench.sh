# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For acceptance scripts that run a program of tests/bench or tests of ctest. Source it after trees.sh.

# What accept_tree builds. They are to be run on a quiet machine; the disk of the scratch directory is measured.
# shellcheck disable=SC2034
ACCEPT_PROGRAMS="ashlard ashlarctl bench_snapshot bench_first_write bench_chain bench_many bench_huge_map"

# accept_bench CLAIMS SECONDS PROGRAM [ARG...]: each of its rows is a claim, of which there are CLAIMS, or a
# figure that is shown beside them.
accept_bench() {
    local claims=$1 seconds=$2 program=$3
    shift 3
    accept_rows "$claims" "$seconds" "$ASHLAR_BUILD/tests/bench/$program" "$@"
}

# accept_rows CLAIMS SECONDS COMMAND [ARG...]: the same of any command that prints such rows; its scratch files
# are on the disk that is measured.
accept_rows() {
    local claims=$1 seconds=$2 rc=0 judged=0 program claim figure bound verdict
    shift 2
    program=$(basename "$1")
    mkdir -p "$ACCEPT_SCRATCH/bench"
    (cd "$ACCEPT_SCRATCH/bench" && TMPDIR=$PWD timeout --kill-after=10 "$seconds" "$@") \
        >"$ACCEPT_SCRATCH/rows" 2>"$ACCEPT_LOG" || rc=$?
    while IFS='|' read -r _ claim figure bound verdict _; do
        read -r claim <<<"$claim"
        read -r figure <<<"$figure"
        read -r bound <<<"$bound"
        read -r verdict <<<"$verdict"
        if [ "$verdict" = - ]; then
            echo "      $claim: $figure"
            continue
        fi
        judged=$((judged + 1))
        result "$claim" "$figure" "$bound" "$([ "$verdict" = PASS ] && echo 0 || echo 1)"
    done <"$ACCEPT_SCRATCH/rows"
    rm -rf "$ACCEPT_SCRATCH/bench"
    if [ "$judged" != "$claims" ] || [ "$rc" -gt 1 ]; then
        tail -n 20 "$ACCEPT_LOG" | sed 's/^/    /'
        result "$program ends in $seconds s with all its claims" "exit $rc, $judged claims" "$claims claims" 1
    fi
}

# accept_ctest CLAIM PRESET SECONDS REGEX [FLAG...]: the tests of that name in that tree, at least one of them.
accept_ctest() {
    local claim=$1 preset=$2 seconds=$3 regex=$4 rc=0 figure
    shift 4
    timeout --kill-after=10 "$seconds" ctest --test-dir "build/$preset" --no-tests=error --output-on-failure \
        -R "$regex" "$@" >"$ACCEPT_LOG" 2>&1 || rc=$?
    ! grep -q '(Skipped)\|Not Run' "$ACCEPT_LOG" || rc=1
    [ "$rc" = 0 ] || tail -n 40 "$ACCEPT_LOG" | sed 's/^/    /'
    figure=$(grep -E 'tests passed|No tests were found' "$ACCEPT_LOG" | tail -n 1)
    result "$claim ($preset)" "${figure:-exit $rc}" "all pass in $seconds s" "$rc"
}

# The disk that the scratch directory is on must have room for what is written there.
accept_room_gib() {
    local free
    free=$(df --output=avail -B1G "$ACCEPT_SCRATCH" | tail -n 1)
    [ "$free" -ge "$1" ] || {
        result "room on the disk of $ACCEPT_SCRATCH" "$free GiB" "$1 GiB" 1
        accept_end
    }
}
