#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: the conformance harness tells a test's outcomes apart, refuses a file of expectations that says too
# little, and fails on a change for better as for worse.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$HERE/../lib/rig.sh"
# shellcheck source=tests/conformance/expected.sh
. "$HERE/expected.sh"
# shellcheck source=tests/conformance/verdict.sh
. "$HERE/verdict.sh"
requires_ashlar
requires iscsi-test-cu iscsi-ls
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/ashlar-conformance.XXXXXX")
trap 'rm -rf "$SCRATCH"' EXIT

# output WORDS FAILED ASSERTS ASSERTS-FAILED: as the tool prints it of one test.
output() {
    printf '    [SKIPPED] PERSISTENT RESERVE IN is not implemented.\nSuite: Read6\n  Test: Simple ...%s' "$1"
    [ "$2" = 0 ] && printf 'passed' || printf 'FAILED\n    1. test_b.c:9  - CU_ASSERT(ok)\n    2. test_a.c:12  - CU_FAIL("x")\n    3. test_a.c:7  - CU_FAIL("x")\n    4. test_a.c:12  - CU_FAIL("x")'
    printf '    [FAILED] PRIN failed with sense. SENSE KEY:UNIT_ATTENTION(6) ASCQ:RESET(0x2903)\n'
    printf '\nRun Summary:    Type  Total    Ran Passed Failed Inactive\n'
    printf '               tests      1      1 %6d %6d        0\n' $((1 - $2)) "$2"
    printf '             asserts %6d %6d %6d %6d      n/a\n' "$3" "$3" $(($3 - $4)) "$4"
}

# expect VERDICT RC: of the output on standard input.
expect() {
    local got
    cat >"$SCRATCH/out"
    got=$(verdict_of "$SCRATCH/out" "$2")
    [ "$got" = "$1" ] || fail "a $1 (exit $2) is taken for a $got"
}

output '' 0 5 0 | expect pass 0
output '' 0 0 0 | expect empty 0
output '    [SKIPPED] READ6 is not implemented.' 0 1 0 | expect skip 0
output '    [SKIPPED] READ6 is not implemented.' 1 2 1 | expect fail 0
output '' 0 5 1 | expect fail 0
output '' 0 5 0 | expect fail 1
echo 'no test ran' | expect fail 0
output '' 0 5 0 | expect crash 134
output '' 0 5 0 | expect timeout 124
output '' 0 5 0 | expect timeout 137

output '    [FAILED] WRITE10 failed with status 2 / sense key DATA PROTECTION(0x07) / ASCQ WRITE_PROTECTED(0x2700)
' 1 4 3 >"$SCRATCH/out"
evidence=$(verdict_evidence "$SCRATCH/out")
[ "$evidence" = 'test_a.c:7,12 test_b.c:9 2700' ] || fail "the evidence of a fail: $evidence"

# refused FAULT LINE: that line alone is refused, with that word.
refused() {
    printf '%b\n' "$2" >"$SCRATCH/bad.tsv"
    expected_faults "$SCRATCH/bad.tsv" | grep -q "$1" || fail "not refused as '$1': $2"
}

refused 'not five fields' 'Read6.Simple\t4kn\tskip\t-'
refused 'no such verdict: pass' 'Read6.Simple\t4kn\tpass\t-\twhy'
refused 'no such verdict: fail|late' 'Read6.Simple\t4kn\tfail|late\t-\twhy'
refused 'no evidence goes with skip' 'Read6.Simple\t4kn\tskip\ttest_a.c:7\twhy'
refused 'no reason' 'Read6.Simple\t4kn\tskip\t-\t'
refused 'no such kind of LUN: 8kn' 'Read6.Simple\t4kn,8kn\tskip\t-\twhy'
refused 'named twice on ro' 'Read6.Simple\t4kn,ro\tskip\t-\twhy\nRead6.Simple\tro\tskip\t-\twhy'
refused 'has no such test' 'Read6.Smple\t4kn\tskip\t-\twhy'

# A pass that is to be a skip, a skip that is to be a pass, a fail that fails elsewhere.
sed -e '/^ReadOnly\./d' -e '/^GetLBAStatus\.UnmapSingle/s/\.c:[0-9]*/.c:1/' "$HERE/expected.tsv" >"$SCRATCH/other.tsv"
printf 'TestUnitReady.Simple\t512e\tskip\t-\tto be noticed\n' >>"$SCRATCH/other.tsv"
rc=0
CONFORMANCE_EXPECTED=$SCRATCH/other.tsv "$HERE/run" --lun 512e \
    --tests '^(TestUnitReady|ReadOnly|GetLBAStatus)\.' >"$SCRATCH/run" 2>&1 || rc=$?
[ "$rc" = 1 ] || fail "exit $rc for what differs"
for test in TestUnitReady.Simple ReadOnly.ReadOnlySBC GetLBAStatus.UnmapSingle; do
    grep -q "^  $test on 512e: want " "$SCRATCH/run" || { cat "$SCRATCH/run"; fail "$test: not noticed"; }
done
grep -q ' 5 tests, 3 differences from other.tsv$' "$SCRATCH/run" || { cat "$SCRATCH/run"; fail "not its figures"; }
echo "all outcomes, 8 faults of a file and 3 changes are noticed"
