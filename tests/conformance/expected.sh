# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The tests that there are, the kinds of LUN, and what each test must come to. Source it.
# A file of expectations has a line for each test and its LUN kinds, separated by tabs:
#   test    as iscsi-test-cu names it
#   luns    the kinds that the line is of, with commas between
#   verdict other than pass; what may be this or that, by timing, has both with | between
#   evidence  of a fail: what verdict_evidence finds; - asks for none
#   reason  the clause that has it so, or the work that will change it

LUN_KINDS="4kn 512e 512n ro"

# All tests, SUITE.TEST, in the tool's order, a suite's together.
tests_all() {
    iscsi-test-cu -l | sed -n 's/^ALL\.\(.*\..*\)/\1/p'
}

# The lines of FILE without comments and title.
expected_lines() {
    grep -v '^#' "$1" | grep -v $'^test\tluns\t'
}

# Each test that is not passed on each kind: TEST KIND VERDICT EVIDENCE REASON, with tabs.
expected_each() {
    expected_lines "$1" | awk -F '\t' -v OFS='\t' '{
        count = split($2, kinds, ",")
        for (i = 1; i <= count; i++)
            print $1, kinds[i], $3, $4, $5
    }'
}

# What is wrong with FILE, a line each; nothing if it can be used.
expected_faults() {
    local file=$1
    expected_lines "$file" | awk -F '\t' '
        NF != 5 {print $1 ": not five fields"; next}
        $3 !~ /^(empty|skip|fail|crash|timeout)(\|(empty|skip|fail|crash|timeout))*$/ {
            print $1 ": no such verdict: " $3
        }
        $4 == "" || ($4 != "-" && $3 !~ /fail/) {print $1 ": no evidence goes with " $3 ": " $4}
        $5 == "" {print $1 ": no reason"}'
    expected_each "$file" | awk -F '\t' -v known=" $LUN_KINDS " '
        index(known, " " $2 " ") == 0 {print $1 ": no such kind of LUN: " $2}
        seen[$1, $2]++ {print $1 ": named twice on " $2}'
    comm -13 <(tests_all | sort) <(expected_lines "$file" | cut -f 1 | sort -u) |
        sed 's/$/: iscsi-test-cu has no such test/'
}

# What a run would find if FILE is right: TEST KIND VERDICT, with tabs, of every test on every kind.
expected_results() {
    local test kind
    tests_all | while read -r test; do
        for kind in $LUN_KINDS; do
            printf '%s\t%s\n' "$test" "$kind"
        done
    done | awk -F '\t' -v OFS='\t' '
        FILENAME == ARGV[1] {want[$1, $2] = $3; next}
        {print $1, $2, ($1, $2) in want ? want[$1, $2] : "pass"}' <(expected_each "$1") -
}
