#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: iscsi-test-cu's tests for the commands that we serve answer as conformance.expect says. Each
# test is a process of its own with a time limit, on a volume made for it, with two paths and two
# initiators; what it skipped, and what it passed without asserting anything, is not counted as
# passed (the tool itself counts both as passed).
# Usage: conformance.sh [SUITE-OR-TEST-PATTERN]   CONFORMANCE_SECONDS: limit of one test (30)
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lib/rig.sh"
requires iscsi-test-cu iscsi-ls curl

PATTERN=${1:-.}
LIMIT=${CONFORMANCE_SECONDS:-30}
EXPECT=${CONFORMANCE_EXPECT:-$HERE/conformance.expect}
declare -A COUNT
VERDICTS=(pass skip empty broken later fail timeout dead)
DIFFERENCES=()

# The figure N of the run summary's line NAME: Total Ran Passed Failed.
summary() {
    awk -v name="$2" -v n="$3" '$1 == name {print $(n + 1); exit}' "$1"
}

# What the test itself said: the tool's own setup and cleanup around it (they look for reservations to
# clear) are no part of the test.
own_words() {
    awk '/^  Test: / {on = 1}
        on && match($0, /(^|\.\.\.)(passed|FAILED)/) {print substr($0, 1, RSTART - 1); exit}
        on' "$1"
}

# The assertions that failed, as FILE:LINE.
failed_at() {
    sed -n 's/^ *[0-9]*\. \([a-z0-9_]*\.c:[0-9]*\) .*/\1/p' "$1" | xargs
}

# classify FILE RC WANT: the verdict on one test's output. What it says of a command that failed is not
# asked: some want theirs to fail. Its assertions are.
classify() {
    local out=$1 rc=$2 want=$3
    if [ "$rc" -eq 124 ] || [ "$rc" -eq 137 ]; then
        echo timeout
    elif [ "$want" = "broken:$(failed_at "$out")" ]; then
        echo "$want"
    elif [ "$(summary "$out" tests 3)" != 1 ] || [ "$(summary "$out" asserts 4)" != 0 ] ||
        [ "$rc" -ne 0 ]; then
        echo fail
    elif own_words "$out" | grep -q '\[SKIPPED\]'; then
        echo skip
    elif [ "$(summary "$out" asserts 3)" = 0 ]; then
        echo empty
    else
        echo pass
    fi
}

# A test that the tool has and the file does not is one that nobody looks at.
check_complete() {
    local test suite missing
    iscsi-test-cu -l | sed -n 's/^ALL\.\(.*\..*\)/\1/p' | sort >"$RIG_DIR/tool"
    sed 's/#.*//' "$EXPECT" | awk 'NF {print $1}' | sort >"$RIG_DIR/named"
    while read -r suite; do
        grep "^$suite\." "$RIG_DIR/tool" || true
    done < <(cut -d. -f1 "$RIG_DIR/named" | sort -u) | sort >"$RIG_DIR/due"
    missing=$(diff "$RIG_DIR/due" "$RIG_DIR/named") ||
        fail "$EXPECT does not name what iscsi-test-cu has (<: missing, >: unknown): $missing"
}

count() {
    local suite=${1%%.*} verdict=${2%%:*}
    COUNT[$verdict]=$((${COUNT[$verdict]:-0} + 1))
    COUNT[$suite.$verdict]=$((${COUNT[$suite.$verdict]:-0} + 1))
}

run_test() {
    local test=$1 want=$2 size=${3:-64MiB} out="$RIG_DIR/$1.out" rc=0 verdict url
    rig_volume c "$size" 1
    url=$(rig_url 1)
    timeout -k 1 "$LIMIT" iscsi-test-cu -i "$RIG_IQN" -I "$RIG_IQN2" --dataloss -t "ALL.$test" \
        "$url" "$url" >"$out" 2>&1 || rc=$?
    verdict=$(classify "$out" "$rc" "$want")
    rig_alive || verdict=dead
    count "$test" "$verdict"
    if [ "$verdict" != "$want" ]; then
        DIFFERENCES+=("$test: want $want, got $verdict")
        echo "--- $test: want $want, got $verdict"
        grep -vE '^$|CUnit|cunit|suites|Elapsed' "$out" | sed -n 1,25p || true
    fi
    if [ "$verdict" = dead ]; then
        rig_tail 40
        rig_kill
        rig_start
    fi
    rig_volume_delete c 1 || fail "$test: its volume cannot be deleted"
}

table() {
    local suite verdict
    printf '%-24s' suite
    printf '%9s' "${VERDICTS[@]}"
    printf '\n'
    for suite in "${SUITES[@]}" total; do
        printf '%-24s' "$suite"
        for verdict in "${VERDICTS[@]}"; do
            if [ "$suite" = total ]; then
                printf '%9s' "${COUNT[$verdict]:-0}"
            else
                printf '%9s' "${COUNT[$suite.$verdict]:-.}"
            fi
        done
        printf '\n'
    done
}

rig_init
check_complete
rig_start
SUITES=()
while read -r test want size; do
    [[ $test =~ $PATTERN ]] || continue
    [[ " ${SUITES[*]-} " == *" ${test%%.*} "* ]] || SUITES+=("${test%%.*}")
    if [ "$want" = later ]; then
        count "$test" later
    else
        run_test "$test" "$want" "$size"
    fi
done < <(sed 's/#.*//' "$EXPECT" | awk 'NF')
table
echo "$RIG_TARGET, engine $RIG_ENGINE: ${#DIFFERENCES[@]} differences from ${EXPECT##*/}"
for line in ${DIFFERENCES[@]+"${DIFFERENCES[@]}"}; do
    echo "  $line"
done
[ "${#DIFFERENCES[@]}" = 0 ]
