#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: logins as QEMU, libiscsi, the Linux kernel with open-iscsi, and iPXE send them, replayed byte for
# byte, get the answers that RFC 7143 has for them, each key with its value, and no other.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls curl
requires_ashlar
RIG_IQN=iqn.2026-01.example.host:golden

rig_init
RIG_FLAGS+=(--target-name iqn.2026-01.example.ashlar:golden)
rig_start
rig_volume v 64MiB 1

replay() {
    timeout 20 "$(rig_bin ashlar-replay)" 127.0.0.1 "$RIG_PORT" "$1" >"$RIG_DIR/out" 2>&1
}

# A recording with one line changed must be told from what comes.
must_differ() {
    sed "$2" "$RIG_ROOT/tests/golden/$1.login" >"$RIG_DIR/changed"
    local rc=0
    replay "$RIG_DIR/changed" || rc=$?
    [ $rc = 1 ] && grep -q "$3" "$RIG_DIR/out" || { cat "$RIG_DIR/out"; fail "$1: $2: exit $rc"; }
}

logins=("$RIG_ROOT"/tests/golden/*.login)
[ ${#logins[@]} -ge 7 ] || fail "only ${#logins[@]} logins are kept"
for login in "${logins[@]}"; do
    replay "$login" || { cat "$RIG_DIR/out"; fail "$(basename "$login")"; }
done
must_differ linux '/^answer/,$s/^MaxBurstLength=.*/MaxBurstLength=262144/' 'not in the answer: MaxBurstLength=262144'
must_differ linux '/^answer/,$s/^TargetPortalGroupTag=.*//' 'in the answer: TargetPortalGroupTag='
must_differ ipxe '0,/^answer/s/^answer .*/answer 0000 stage 0/' 'the answer is 0000 stage 0 to 1'
echo "${#logins[@]} logins of real initiators answered as they should be"
