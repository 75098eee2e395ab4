#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: all that a unit tells of itself (INQUIRY and VPD pages, capacity, mode and log pages, supported
# commands and task management functions) is, byte for byte, what is kept in tests/golden/*.pages: of 512e,
# 512 native, 4Kn and a read-only unit, behind three portal groups. What is "--" there differs from unit to unit.
# After a change of a page that was meant: tests/protocol/test-golden-pages.sh --write, and read the difference.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls curl
requires_ashlar

KINDS=(512e 512n 4kn ro)
GOLDEN=$RIG_ROOT/tests/golden

# pages KIND FILE: what the unit of that kind tells.
pages() {
    local lun
    for lun in "${!KINDS[@]}"; do
        [ "${KINDS[$lun]}" = "$1" ] && break
    done
    {
        echo "# SPDX-License-Identifier: Apache-2.0"
        echo "# A unit of the kind $1, as ashlar-pages shows it: kept anew by tests/protocol/test-golden-pages.sh --write."
    } >"$2"
    timeout 60 "$(rig_bin ashlar-pages)" "$(rig_url $((lun + 1)))" "$RIG_IQN" >>"$2" ||
        { tail -n 5 "$2"; fail "ashlar-pages ends with $? on $1"; }
}

# is_golden FILE KIND: the difference is on the standard output.
is_golden() {
    diff -u --label "tests/golden/$2.pages" --label told "$1" "$RIG_DIR/told.$2"
}

# A golden file with one line changed must be told from what comes.
must_differ() {
    sed "$2" "$GOLDEN/$1.pages" >"$RIG_DIR/changed"
    ! cmp -s "$GOLDEN/$1.pages" "$RIG_DIR/changed" || fail "$1: $2 changes nothing"
    ! is_golden "$RIG_DIR/changed" "$1" >/dev/null || fail "$1: $2 is not noticed"
}

rig_init
RIG_FLAGS+=(--target-name iqn.2026-01.example.ashlar:golden --portal "127.0.0.2:0,7" --portal "127.0.0.3:0,2"
    --portal "127.0.0.4:0")
rig_start
rig_volume v512e 64MiB 1
RIG_VOLUME_FLAGS=(--physical-block-size 512)
rig_volume v512n 64MiB 2
RIG_VOLUME_FLAGS=(--block-size 4096)
rig_volume v4kn 64MiB 3
RIG_VOLUME_FLAGS=()
RIG_MAPPING_FLAGS=(--read-only)
rig_volume vro 64MiB 4

count=0
for kind in "${KINDS[@]}"; do
    pages "$kind" "$RIG_DIR/told.$kind"
    [ "${1:-}" != --write ] || cp "$RIG_DIR/told.$kind" "$GOLDEN/$kind.pages"
    is_golden "$GOLDEN/$kind.pages" "$kind" || fail "a page of $kind is not as it is kept: if it is meant, --write"
    ! grep 'no name' "$RIG_DIR/told.$kind" || fail "a page has no name: give it one in tests/protocol/pages.c"
    count=$((count + $(grep -c '^== ' "$RIG_DIR/told.$kind")))
done
must_differ 512e '/^== VPD b2/,/^== /s/^0000  00 b2/0000  00 b3/'
must_differ 4kn '/^== LOG 0d/d'
echo "$count pages of ${#KINDS[@]} units are as they are kept"
