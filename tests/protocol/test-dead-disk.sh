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

# shellcheck disable=SC2034 # rig.sh takes it
RIG_FLAGS=(--io-timeout 5s)
DISK=
DISK_PIDS=()

disks_end() {
    local pid
    for pid in ${DISK_PIDS[@]+"${DISK_PIDS[@]}"}; do
        kill -CONT "$pid" 2>/dev/null || true
    done
    rig_kill
    [ "$DEAD_DISK" = file ] || [ -z "$DISK" ] || losetup -d "$DISK" || true
    for pid in ${DISK_PIDS[@]+"${DISK_PIDS[@]}"}; do
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

# disk_serve NAME: NAME.img, served by a process of its own.
disk_serve() {
    local file=$RIG_DIR/$1.img
    truncate -s 256M "$RIG_DIR/$1.under"
    : >"$file"
    qemu-storage-daemon --blockdev "driver=file,filename=$RIG_DIR/$1.under,node-name=under" \
        --export "type=fuse,id=disk,node-name=under,mountpoint=$file,writable=on" \
        >"$RIG_DIR/$1.log" 2>&1 &
    DISK_PIDS+=($!)
    for _ in $(seq 100); do
        [ "$(stat -c %s "$file")" = 0 ] || return 0
        sleep 0.1
    done
    fail "no disk: $(tail -n 1 "$RIG_DIR/$1.log")"
}

# pool_on NAME DEVICE LUN: a pool and a volume of that name.
pool_on() {
    rig_ctl pool create "$1" --device "$2" >/dev/null || fail "pool create $1"
    rig_ctl volume create "$1" --pool "$1" --size 64MiB >/dev/null || fail "volume create $1"
    rig_ctl mapping create "$1" h1 --lun "$3" >/dev/null || fail "mapping create $1"
}

pool_state() {
    rig_api GET "/v1/pools/$1" | tr -d ' \n' | grep -o '"state":"[a-z]*"' | head -n 1
}

dead_disk() {
    timeout 200 "$(rig_bin ashlar-dead-disk)" 127.0.0.1 "$RIG_PORT" "$RIG_NAME" "$RIG_IQN" 2 1 "$@"
}

# The other pool shares the threads of the dead one, where it has some.
rig_init
cleanup_fn disks_end
disk_serve dead
rig_start
if [ "$DEAD_DISK" = file ]; then
    DISK=$RIG_DIR/dead.img
    disk_serve good
    pool_on good "$RIG_DIR/good.img" 1
else
    DISK=$(losetup --find --show "$RIG_DIR/dead.img") || fail "losetup"
    rig_volume good 64MiB 1
fi
pool_on dead "$DISK" 2

dead_disk die "${DISK_PIDS[0]}" || fail "the disk's death"
[ "$(pool_state dead)" = '"state":"failed"' ] || fail "the dead disk's pool is $(pool_state dead)"
for pool in $(if [ "$DEAD_DISK" = file ]; then echo p good; else echo p; fi); do
    [ "$(pool_state "$pool")" = '"state":"online"' ] || fail "pool $pool is $(pool_state "$pool")"
done
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
kill -STOP "${DISK_PIDS[0]}"
echo >&9
until grep -q left "$RIG_DIR/left"; do sleep 0.05; done
before=$(ends)
kill -TERM "$RIG_PID"
for _ in $(seq 600); do
    [ "$(ends)" = "$before" ] || break
    sleep 0.1
done
[ "$(ends)" != "$before" ] || fail "the daemon does not end while its disk is stopped"
kill -CONT "${DISK_PIDS[0]}"
{ wait "$RIG_PID" || true; } 2>/dev/null
RIG_PID=
wait "$LEAVER" || fail "the session that was left open"
echo "answered and ended while the disk was stopped"
