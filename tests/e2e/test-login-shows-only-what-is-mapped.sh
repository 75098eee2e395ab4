#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a wrong target name is refused by its own status; an initiator without a host sees no LUN and
# reads none; a host sees its own mappings and no other's; a mapping taken away is gone.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls iscsi-inq curl
requires_ashlar

rig_init
rig_start
rig_ctl volume create one --pool p --size 64MiB >/dev/null
rig_ctl volume create two --pool p --size 64MiB >/dev/null
rig_ctl mapping create one h1 --lun 1 >/dev/null
rig_ctl mapping create two h2 --lun 1 >/dev/null
rig_ctl mapping create one h2 --lun 5 >/dev/null
PORTAL=$(rig_portal_url)

inq() {
    timeout 20 iscsi-inq -i "$1" "$2" >"$RIG_DIR/out" 2>&1
}

luns() {
    timeout 20 iscsi-ls -s -i "$1" "$PORTAL" 2>/dev/null | sed -n 's/^Lun:\([0-9]*\) .*/\1/p' | xargs
}

if inq "$RIG_IQN" "$PORTAL/iqn.2026-01.test.ashlar:wrong/1"; then
    fail "a target name that nobody has is logged in to"
fi
grep -q 'Target not found' "$RIG_DIR/out" || { cat "$RIG_DIR/out"; fail "not 'Target not found'"; }

STRANGER=iqn.2026-01.test.ashlar:stranger
[ -z "$(luns $STRANGER)" ] || fail "a stranger sees LUNs $(luns $STRANGER)"
if inq "$STRANGER" "$(rig_url 1)" && ! grep -q 'Qualifier:NOT_SUPPORTED\|Qualifier:DISCONNECTED' "$RIG_DIR/out"; then
    fail "a stranger reads LUN 1's page"
fi

[ "$(luns "$RIG_IQN")" = 1 ] || fail "the first host sees '$(luns "$RIG_IQN")', not 1"
[ "$(luns "$RIG_IQN2")" = "1 5" ] || fail "the second host sees '$(luns "$RIG_IQN2")', not 1 and 5"

serial() {
    timeout 20 iscsi-inq -i "$1" -e 1 -c 128 "$(rig_url "$2")" | grep -i 'serial'
}
[ "$(serial "$RIG_IQN" 1)" = "$(serial "$RIG_IQN2" 5)" ] || fail "one volume, two serial numbers"
[ "$(serial "$RIG_IQN" 1)" != "$(serial "$RIG_IQN2" 1)" ] || fail "two volumes, one serial number"

rig_ctl mapping delete one/h2 >/dev/null || fail "mapping delete"
[ "$(luns "$RIG_IQN2")" = 1 ] || fail "a deleted mapping is still seen"
