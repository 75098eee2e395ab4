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

# conformance_unexplained: lines of expected.tsv that name neither a clause nor the tool.
conformance_unexplained() {
    grep -vE '^(#|test\b)' tests/conformance/expected.tsv |
        grep -vcE "$(printf '\t')[^$(printf '\t')]*(S[AP]C-[45]|SBC-4|RFC 7143|the tool|it asserts only|only of units|the unit is not|optional|it says)[^$(printf '\t')]*\$"
}
