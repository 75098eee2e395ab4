# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For acceptance scripts that run tests/conformance/run: what it found. Source it after trees.sh.

CONFORMANCE_RESULTS=$ACCEPT_SCRATCH/$ACCEPT_NAME.tsv

# conformance_run CLAIM ENGINE SECONDS ARGUMENTS-OF-RUN...: the results are kept.
conformance_run() {
    local claim=$1 engine=$2 seconds=$3
    shift 3
    : >"$CONFORMANCE_RESULTS"
    accept_test "$claim" "$engine" "$seconds" tests/conformance/run --results "$CONFORMANCE_RESULTS" "$@"
}

# conformance_count KIND VERDICT...: the tests that came to one of these on that kind of LUN.
conformance_count() {
    local kind=$1
    shift
    awk -F '\t' -v kind="$kind" -v verdicts=" $* " '
        $2 == kind && index(verdicts, " " $3 " ") {n++}
        END {print n + 0}' "$CONFORMANCE_RESULTS"
}
