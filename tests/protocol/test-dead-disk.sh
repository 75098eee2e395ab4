#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: while a disk does not answer, whatever waits for it is answered within io-timeout and half of it:
# commands, task management from the same session and from others, a login that takes a session over; another
# pool works; what the disk answers late nobody notices; the daemon ends. The disk is a file that a process
# serves by FUSE, and that process is stopped; with DEAD_DISK=block it is a block device on that file.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls curl qemu-storage-daemon
requires_ashlar
[ -w /dev/fuse ] || {
    echo "SKIP: /dev/fuse cannot be used here"
    exit 77
}

DEAD_DISK=${DEAD_DISK:-file}
[ "$DEAD_DISK" = file ] || [ -w /dev/loop-control ] || {
    echo "SKIP: no loop devices for this user"
    exit 77
}

RIG_FLAGS=(--io-timeout 5s)
DISK=
DISK_PID=

disk_end() {
    [ -n "$DISK_PID" ] || return 0
    kill -CONT "$DISK_PID" 2>/dev/null || true
    rig_kill
    [ "$DEAD_DISK" = file ] || [ -z "$DISK" ] || losetup -d "$DISK" || true
    kill -TERM "$DISK_PID" 2>/dev/null || true
    wait "$DISK_PID" 2>/dev/null || true
}

disk_start() {
    truncate -s 256M "$RIG_DIR/under.img"
    : >"$RIG_DIR/dead.img"
    qemu-storage-daemon --blockdev "driver=file,filename=$RIG_DIR/under.img,node-name=under" \
        --export "type=fuse,id=dead,node-name=under,mountpoint=$RIG_DIR/dead.img,writable=on" \
        >"$RIG_DIR/disk.log" 2>&1 &
    DISK_PID=$!
    cleanup_fn disk_end
    for _ in $(seq 100); do
        [ "$(stat -c %s "$RIG_DIR/dead.img")" = 0 ] || break
        sleep 0.1
    done
    [ "$(stat -c %s "$RIG_DIR/dead.img")" != 0 ] || fail "no disk: $(tail -n 1 "$RIG_DIR/disk.log")"
    if [ "$DEAD_DISK" = file ]; then
        DISK=$RIG_DIR/dead.img
    else
        DISK=$(losetup --find --show "$RIG_DIR/dead.img") || fail "losetup"
    fi
}

pool_state() {
    rig_api GET "/v1/pools/$1" | tr -d ' \n' | grep -o '"state":"[a-z]*"' | head -n 1
}

dead_disk() {
    timeout 200 "$(rig_bin ashlar-dead-disk)" 127.0.0.1 "$RIG_PORT" "$RIG_NAME" "$RIG_IQN" 2 1 "$@"
}

rig_init
disk_start
rig_start
rig_volume good 64MiB 1
rig_ctl pool create dead --device "$DISK" >/dev/null || fail "pool create"
rig_ctl volume create dead --pool dead --size 64MiB >/dev/null || fail "volume create"
rig_ctl mapping create dead h1 --lun 2 >/dev/null || fail "mapping create"

dead_disk die "$DISK_PID" || fail "the disk's death"
[ "$(pool_state dead)" = '"state":"failed"' ] || fail "the dead disk's pool is $(pool_state dead)"
[ "$(pool_state p)" = '"state":"online"' ] || fail "the other pool is $(pool_state p)"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ends with $RIG_RC after its disk has answered"

rig_start
[ "$(pool_state dead)" = '"state":"online"' ] || fail "after a new start the pool is $(pool_state dead)"
dead_disk verify || fail "what was flushed"

# The daemon ends while the disk is stopped, and says so; how soon the kernel lets its threads go is the
# kernel's.
ends() {
    grep -c 'msg="stopped' "$RIG_DIR/daemon.log" || true
}
mkfifo "$RIG_DIR/say"
dead_disk leave <"$RIG_DIR/say" >"$RIG_DIR/left" &
LEAVER=$!
exec 9>"$RIG_DIR/say"
until grep -q open "$RIG_DIR/left"; do sleep 0.05; done
kill -STOP "$DISK_PID"
echo >&9
until grep -q left "$RIG_DIR/left"; do sleep 0.05; done
before=$(ends)
kill -TERM "$RIG_PID"
for _ in $(seq 600); do
    [ "$(ends)" = "$before" ] || break
    sleep 0.1
done
[ "$(ends)" != "$before" ] || fail "the daemon does not end while its disk is stopped"
kill -CONT "$DISK_PID"
{ wait "$RIG_PID" || true; } 2>/dev/null
RIG_PID=
wait "$LEAVER" || fail "the session that was left open"
echo "answered and ended while the disk was stopped"
