#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: ranges that are copied (EXTENDED COPY of both forms, up to four segments, overlapping ones too) by sessions
# of all reactors, inside of and between volumes of a pool and of two, among writes and unmaps by others to the same
# extents and while snapshots come and go, are what they were copied from; a checker that forgets a sector is found
# out; at the end the pools' figures agree with their maps.
# COPIES_SECONDS: each of three runs takes so long (5); COPIES_SEED.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/../crash/agree.sh"
. "$(dirname "$0")/../e2e/lun.sh"
requires iscsi-ls qemu-io curl jq
requires_ashlar

SECONDS_EACH=${COPIES_SECONDS:-5}
SEED=${COPIES_SEED:-$RANDOM}
rig_init
rig_start
rig_volume a 64MiB 1
rig_volume b 64MiB 2
rig_ctl pool create q --device "$RIG_DIR/other.img,size=256MiB" >/dev/null || fail "pool create q"
rig_ctl volume create c --pool q --size 64MiB >/dev/null || fail "volume create c"
rig_map c h1 3

churn() {
    local i=0
    while [ ! -e "$RIG_DIR/copied" ]; do
        i=$((i + 1))
        rig_ctl snapshot create "a/s$i" >/dev/null && rig_ctl snapshot delete "a/s$i" >/dev/null || return 1
    done
}

# copies LUN CHUNK_SECTORS SEED [errs]
copies() {
    timeout 100 "$(rig_bin ashlar-copies)" "$RIG_IQN" "$(rig_url 1)" "$1" 4 "$SECONDS_EACH" "$2" "$3" ${4:+"$4"}
}

# zero: the three volumes, which a run expects to be new.
zero() {
    local lun
    for lun in 1 2 3; do
        io "$lun" 'discard 0 64M'
    done
}

churn &
CHURN=$!
copies 2 67 "$SEED" || fail "copies of small pieces, seed $SEED"
zero
copies 2 1000 "$SEED" || fail "copies of extents, seed $SEED"
zero
copies 3 300 "$SEED" || fail "copies between pools, seed $SEED"
touch "$RIG_DIR/copied"
wait "$CHURN" || fail "snapshots cannot come and go"
SECONDS_EACH=2
rc=0
for _ in 1 2 3 4 5; do # a busy machine copies little in a span
    zero
    copies 2 300 "$SEED" errs >"$RIG_DIR/errs" 2>&1 || rc=$?
    [ $rc = 0 ] || break
done
[ $rc = 1 ] || { cat "$RIG_DIR/errs"; fail "a checker that errs ends with $rc"; }
pool_agrees "after the copies"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ends with $RIG_RC"
