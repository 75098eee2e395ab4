#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a pool gets a device while it serves, another is emptied and removed, and a LUN on it holds what was
# written to it all the time, although the daemon is killed (-9) in the middle of it, again and again; a device
# that carries a file system is refused by name; one that is not there at a start is named, and what lies on the
# others is served.
set -euo pipefail
RIG_POOL_SIZE=256MiB
. "$(dirname "$0")/../lib/rig.sh"
requires curl jq qemu-io
requires_ashlar
rig_init
. "$(dirname "$0")/lun.sh"
rig_start
rig_volume a 192MiB 1

KILLS=5

device() {
    rig_ctl --json device show "p/$1" | jq -r "$2"
}

io 1 'write -P 0x11 0 64M' 'write -P 0x12 64M 64M' flush
[ "$(device 1 .state)" = online ] || fail "device 1 is not online"

# --- a device that carries something ---
truncate -s 256M "$RIG_DIR/ext.img"
printf '\x53\xef' | dd of="$RIG_DIR/ext.img" bs=1 seek=1080 conv=notrunc status=none
if rig_ctl device add p --path "$RIG_DIR/ext.img" >"$RIG_DIR/out" 2>&1; then
    fail "a device with a file system was taken"
fi
grep -q 'ext4' "$RIG_DIR/out" || { cat "$RIG_DIR/out"; fail "it does not say what it found"; }

# --- one joins, the first is emptied under kills ---
rig_ctl device add p --path "$RIG_DIR/two.img" --size 512MiB >/dev/null || fail "device add"
[ "$(device 2 .state)" = online ] || fail "device 2 is not online"
rig_ctl device show p/2 | grep -q '^errors\.read *0$' || fail "errors are shown as something else than counts"
rig_ctl device remove p/1 >/dev/null 2>&1 && fail "a device in use was removed"
job=$(rig_ctl --json device evacuate p/1 --no-wait | jq -r .id) || fail "device evacuate"
for _ in $(seq $KILLS); do
    sleep 0.1
    rig_kill
    rig_start
    io 1 'read -P 0x11 0 64M' 'write -P 0x12 64M 4M' flush
done
for _ in $(seq 600); do
    state=$(rig_api GET "/v1/jobs/$job" | jq -r .state)
    [ "$state" = running ] || break
    sleep 0.1
done
[ "$state" = 'done' ] || fail "the evacuation is $state"
[ "$(device 1 '.state, .used')" = $'evacuated\n0' ] || fail "device 1: $(device 1 .)"
rig_check | jq -e .clean >/dev/null || fail "the pool is not clean"
rig_ctl device remove p/1 >/dev/null || fail "device remove"
io 1 'read -P 0x11 0 64M' 'read -P 0x12 64M 64M'
rig_kill
rig_start
io 1 'read -P 0x11 0 64M' 'read -P 0x12 64M 64M'
rig_api GET /v1/pools/p/devices | jq -e '.items | length == 1 and .[0].slot == 2' >/dev/null ||
    fail "the device that was removed is there"

# --- one that is not there ---
rig_ctl device add p --path "$RIG_DIR/three.img" --size 64MiB >/dev/null || fail "device add"
rig_stop
mv "$RIG_DIR/three.img" "$RIG_DIR/three.away"
rig_start
[ "$(rig_api GET /v1/pools/p | jq -r .state)" = degraded ] || fail "the pool is not degraded"
rig_api GET /v1/pools/p/devices | jq -e '.items[] | select(.state == "missing") | .reason' >/dev/null ||
    fail "no device is missing"
io 1 'read -P 0x11 0 64M' 'write -P 0x13 0 1M' flush 'read -P 0x13 0 1M'
