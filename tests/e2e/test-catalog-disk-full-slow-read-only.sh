#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: while the catalog's disk is full, or cannot be written, changes are refused with a problem that says so and
# flushes fail, reads and the API go on, nothing that was flushed is lost, and all recovers by itself; a slow one is waited for.
# Root: it mounts a small file system.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/lun.sh"
requires iscsi-ls curl jq qemu-io mkfs.ext4 mount fsfreeze
requires_ashlar
[ "$(id -u)" = 0 ] || { echo "SKIP: needs root"; exit 77; }

rig_init
mkdir "$RIG_DIR/state"
truncate -s 24M "$RIG_DIR/state.img"
mkfs.ext4 -q -m 0 "$RIG_DIR/state.img"
mount -o loop "$RIG_DIR/state.img" "$RIG_DIR/state" 2>/dev/null || { echo "SKIP: no loop mounts here"; exit 77; }
cleanup_fn umount -l "$RIG_DIR/state"
cleanup_fn rig_kill
rig_start
rig_volume v 64MiB 1
io 1 "write -P 1 0 4M" flush

# change: the status of an attempt to change something.
change() {
    curl -sS -m 60 -o "$RIG_DIR/answer" -w '%{http_code}' --unix-socket "$RIG_DIR/api.sock" -X POST \
        -H 'Content-Type: application/json' -d "{\"name\": \"$1\", \"pool\": \"p\", \"size\": 1048576}" \
        http://localhost/v1/volumes
}

refuses() {
    local status
    status=$(change "$1")
    [ "$status" = 409 ] || [ "$status" = 503 ] || { cat "$RIG_DIR/answer"; fail "a change on a catalog's disk that $2 is answered $status"; }
    jq -e '.detail | test("catalog")' "$RIG_DIR/answer" >/dev/null || { cat "$RIG_DIR/answer"; fail "the problem does not name the catalog"; }
    [ "$(of /v1/volumes '[.items[].name] | join(" ")')" = v ] || fail "a refused change has changed something"
    io 1 "read -P 1 0 4M"
}

recovers() {
    local status
    status=$(change "$1")
    [ "$status" = 201 ] || { cat "$RIG_DIR/answer"; fail "after it could be written again: $status"; }
    rig_ctl volume delete "$1" >/dev/null
    io 1 "write -P 2 8M 1M" flush
}

# Full.
fill() {
    dd if=/dev/zero of="$RIG_DIR/state/filler" bs=4k 2>/dev/null || true
    dd if=/dev/zero of="$RIG_DIR/state/filler2" bs=512 2>/dev/null || true
    sync -f "$RIG_DIR/state"
}
fill
# What lies in the log's file already can be written over: until it must grow changes pass.
for i in $(seq 400); do
    status=$(change "x$i")
    [ "$status" = 201 ] || break
    rig_ctl volume delete "x$i" >/dev/null || break
done
for name in $(of /v1/volumes '.items[].name' | grep -v '^v$' || true); do rig_ctl volume delete "$name" >/dev/null || true; done
[ "$status" != 201 ] || fail "a full disk takes changes for ever"
refuses full1 "is full"
! io_try 1 "write -P 9 16M 2M" flush || fail "a flush was answered that the catalog has no room for"
rm -f "$RIG_DIR"/state/filler*
recovers full2
restart
io 1 "read -P 1 0 4M" "read -P 2 8M 1M"

# Slow: the catalog's file system is frozen for a while; a change and a flush wait, and are answered.
fsfreeze -f "$RIG_DIR/state"
change slow >"$RIG_DIR/status" &
waiting=$!
sleep 2
kill -0 $waiting 2>/dev/null || { fsfreeze -u "$RIG_DIR/state"; fail "a change was answered that cannot be durable"; }
io 1 "read -P 1 0 4M"
curl -sf -m 5 -o /dev/null --unix-socket "$RIG_DIR/api.sock" http://localhost/v1/volumes || { fsfreeze -u "$RIG_DIR/state"; fail "lists wait for a slow catalog"; }
fsfreeze -u "$RIG_DIR/state"
wait $waiting
[ "$(cat "$RIG_DIR/status")" = 201 ] || fail "a slow catalog's change ends with $(cat "$RIG_DIR/status")"
rig_ctl volume delete slow >/dev/null

# Read-only: as a file system makes itself after an error.
rig_kill
mount -o remount,ro "$RIG_DIR/state"
rig_ashlar_command
rc=0
timeout 20 "${RIG_COMMAND[@]}" >"$RIG_DIR/refused" 2>&1 || rc=$?
[ "$rc" = 1 ] || fail "on a read-only state directory it ends with $rc"
tail -n 1 "$RIG_DIR/refused" | grep -qi 'read-only' || { cat "$RIG_DIR/refused"; fail "it does not say why"; }
mount -o remount,rw "$RIG_DIR/state"
rig_start
io 1 "read -P 1 0 4M" "read -P 2 8M 1M"
recovers after
