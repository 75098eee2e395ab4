#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim, by specification (no Windows is here): what Microsoft's tests of thin provisioning ask of a unit is
# answered as Windows wants it. They read VPD 00h, B0h and B2h, READ CAPACITY(16), log page 0Ch and GET LBA
# STATUS, take space back by UNMAP, and have the soft threshold of 70 % raise itself: SBC-4, 4.7, 5.9, 5.30, 6.4
# and 6.6; Windows takes a unit as thin if LBPME is set, B2h says thin with LBPU, and B0h a granularity.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/../lib/ask.sh"
requires curl jq iscsi-ls
requires_ashlar
answer="" # what ask hears

RIG_POOL_SIZE=64MiB # 1,023 extents beside the superblock's
EXTENTS=1023
EXTENT=128          # blocks of 512 in one
PASSED=0

# field BYTE COUNT: of the data that came, as a number.
field() {
    local hex=${answer#good }
    echo $((16#${hex:$((2 * $1)):$((2 * $2))}))
}

# holds WHAT CONDITION: in arithmetic.
holds() {
    (($2)) || fail "$1: $2 does not hold: $answer"
    PASSED=$((PASSED + 1))
}

# used_sets: of log page 0Ch, parameter 2, in thresholds sets.
used_sets() {
    good a in 64 4d004c00000000004000
    holds 'log page 0Ch' "($(field 0 1) & 0x3f) == 0x0c"
    holds 'available resources come first' "$(field 4 2) == 1"
    holds 'used resources come second' "$(field 16 2) == 2"
    used=$(field 20 4)
    available=$(field 8 4)
}

# is_mapped LBA WANTED: 0 mapped, 1 deallocated.
is_mapped() {
    good a in 64 "9e12$(printf '%016x' "$1")000000400000"
    holds "the state of block $1" "$(field 8 8) == $1 && ($(field 20 1) & 0xf) == $2"
}

is_told() {
    ask a none 000000000000
    [[ $answer == sense* ]]
}

has_event() {
    [ "$(rig_api GET '/v1/events?type=pool.threshold_reached' | jq '.items | length')" = 1 ]
}

uses_sets() {
    used_sets
    [ "$used" = "$1" ]
}

rig_init
rig_start
rig_volume v 256MiB 1
session a "$RIG_IQN" 1

# --- Is it thin? ---
good a in 64 120100004000
pages=${answer:13}
[[ $pages == *b0* && $pages == *b2* ]] || fail "VPD 00h lists neither B0h nor B2h: $answer"
good a in 64 1201b0004000
holds 'B0h: blocks of one UNMAP' "$(field 20 4) > 0"
holds 'B0h: descriptors of one UNMAP' "$(field 24 4) > 0"
grain=$(field 28 4)
holds 'B0h: a granularity below 1 MiB, in whole 4 KiB' "$grain > 0 && $grain < 2048 && $grain % 8 == 0"
holds 'B0h: its alignment is told' "$(field 32 4) == 0x80000000"
holds 'B0h: the length of one WRITE SAME' "$(field 36 8) > 0"
good a in 64 1201b2004000
exponent=$(field 4 1)
holds 'B2h: threshold sets' "$exponent > 0"
holds 'B2h: UNMAP, both WRITE SAMEs, zeros after' "($(field 5 1) & 0xe4) == 0xe4"
holds 'B2h: thin' "($(field 6 1) & 7) == 2"
good a in 32 9e100000000000000000000000200000
holds 'READ CAPACITY(16): LBPME and LBPRZ' "($(field 14 1) & 0xc0) == 0xc0"

# --- What is used is told, block by block and in all ---
used_sets
holds 'nothing is used' "$used == 0 && $available == $EXTENTS"
is_mapped 0 1
good a fill 0 $((8 * EXTENT))
is_mapped 0 0
is_mapped $((8 * EXTENT)) 1
eventually 'the log page does not say 8 sets' uses_sets 8
holds 'what is used is not available' "$available == $EXTENTS - 8"

# --- It comes back ---
good a out "$(printf '0016001000000000%016x%08x00000000' 0 $((4 * EXTENT)))" 42000000000000001800
is_mapped 0 1
is_mapped $((4 * EXTENT)) 0
good a in 512 28000000000000000100
[[ $answer == "good $(printf '0%.0s' $(seq 64))"* ]] || fail "an unmapped block is no zeros: ${answer:0:60}"
eventually 'the log page does not say 4 sets' uses_sets 4

# --- 70 % used: the threshold that the test sets, at 30 % left ---
left=$((EXTENTS * 30 / 100))
good a out "00000000000000005c02002c$(printf '0%.0s' $(seq 24))8001$(printf '%012x' $left)$(printf '0%.0s' $(seq 48))" \
    55100000000000003800
good a in 64 5a081c02000000004000
holds 'the threshold is in force' "$(field 24 1) == 0x80 && $(field 28 4) == $left"
good a fill $((8 * EXTENT)) $(((EXTENTS - left - 8 - 20) * EXTENT))
sleep 0.5
good a none 000000000000
ask a fill $(((EXTENTS - left - 20) * EXTENT)) $((60 * EXTENT))
[[ $answer != good ]] || eventually 'no unit attention at 70 %' is_told
[[ $answer == 'sense '[7f]00006* && ${answer:30:6} == 380700 ]] || fail "at 70 % it is told: $answer"
PASSED=$((PASSED + 1))
eventually 'no event tells of it' has_event
echo "$PASSED answers are as Windows wants them"
