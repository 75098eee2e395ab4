# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What one test of iscsi-test-cu came to, from its output and exit status. Source it.
#   pass     every assertion held, and there was at least one
#   empty    it ended well without asserting anything
#   skip     the test says [SKIPPED] somewhere: a part or all of it was not asked of us
#   fail     an assertion failed
#   crash    a signal ended the tool
#   timeout  its time limit did
# The tool itself counts the first three as passed.

# The figure N of the run summary's line NAME: Total Ran Passed Failed.
verdict_summary() {
    awk -v name="$2" -v n="$3" '$1 == name {print $(n + 1); exit}' "$1"
}

# What the test itself said: the tool's own setup and cleanup around it (they look for reservations to
# clear) are no part of the test.
verdict_own_words() {
    awk '/^  Test: / {on = 1}
        on && match($0, /(^|\.\.\.)(passed|FAILED)/) {print substr($0, 1, RSTART - 1); exit}
        on' "$1"
}

# verdict_of FILE RC. What it says of a command that failed is not asked: some want theirs to fail. Its
# assertions are.
verdict_of() {
    local out=$1 rc=$2
    if [ "$rc" -eq 124 ] || [ "$rc" -eq 137 ]; then
        echo timeout
    elif [ "$rc" -gt 128 ]; then
        echo crash
    elif [ "$(verdict_summary "$out" tests 3)" != 1 ] || [ "$(verdict_summary "$out" asserts 4)" != 0 ] ||
        [ "$rc" -ne 0 ]; then
        echo fail
    elif verdict_own_words "$out" | grep -q '\[SKIPPED\]'; then
        echo skip
    elif [ "$(verdict_summary "$out" asserts 3)" = 0 ]; then
        echo empty
    else
        echo pass
    fi
}

# What made it fail: the assertions, as FILE:LINE,LINE, and the additional sense codes of the answers that
# it did not want, each once, in order.
verdict_evidence() {
    {
        sed -n 's/^ *[0-9]*\. \([a-z0-9_]*\.c\):\([0-9]*\) .*/\1 \2/p' "$1" | sort -k1,1 -k2,2n -u |
            awk '$1 != file {printf "%s%s:%s", NR == 1 ? "" : "\n", $1, $2; file = $1; next}
                {printf ",%s", $2}
                END {if (NR) print ""}'
        verdict_own_words "$1" | sed -n '/\[FAILED\]/s/.*(0x\([0-9a-f]\{4\}\)).*/\1/p' | sort -u
    } | xargs
}
