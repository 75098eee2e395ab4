#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: connections that write, zero, unmap and flush at random read what they wrote while the devices under them
# are exchanged: one joins, the one before is emptied and removed, again and again, beside snapshots that come and
# go. In the end the pool's figures agree with its map.
# LOAD_SECONDS: how long (16); LOAD_SEED.
set -euo pipefail
RIG_POOL_SIZE=256MiB
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/../crash/agree.sh"
requires curl jq
requires_ashlar

SECONDS_ALL=${LOAD_SECONDS:-16}
SEED=${LOAD_SEED:-$RANDOM}
rig_init
rig_start
rig_volume a 64MiB 1
rig_volume b 64MiB 2

load() {
    timeout 200 "$(rig_bin ashlar-load)" --seconds "$SECONDS_ALL" --connections 8 --lun 1 --lun 2 --seed "$SEED" \
        --expect-zeros "$(rig_url 1)" >"$RIG_DIR/load" 2>&1
}

load &
LOAD=$!
exchanges=0
while kill -0 "$LOAD" 2>/dev/null; do
    slot=$((exchanges + 1))
    rig_ctl device add p --path "$RIG_DIR/device$slot.img" --size 256MiB >/dev/null || fail "device add"
    rig_ctl snapshot create "a/s$slot" >/dev/null || fail "snapshot create"
    rig_ctl device evacuate "p/$slot" >"$RIG_DIR/out" 2>&1 || { cat "$RIG_DIR/out"; fail "device $slot is not emptied"; }
    rig_ctl snapshot delete "a/s$slot" >/dev/null || fail "snapshot delete"
    rig_ctl device remove "p/$slot" >/dev/null || fail "device $slot is not removed"
    exchanges=$slot
done
wait "$LOAD" || { cat "$RIG_DIR/load"; fail "the load, seed $SEED"; }
[ "$exchanges" -ge 2 ] || fail "only $exchanges devices were exchanged"
pool_agrees "after the load"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ends with $RIG_RC"
echo "$exchanges devices exchanged under load, seed $SEED"
