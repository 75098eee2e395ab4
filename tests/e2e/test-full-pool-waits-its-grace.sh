#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a write that finds its pool full waits as long as space-grace says and goes on by itself, with its data, when
# a device is added or space is given back; meanwhile overwrites, reads, snapshots of others and other pools are served;
# without space it fails with SPACE ALLOCATION FAILED WRITE PROTECT; a guest that is killed, a detach and the end of the
# daemon end the wait; that the pool is full, and that this is over, is told once each.
set -euo pipefail
RIG_POOL_SIZE=16MiB # 255 extents of 64 KiB beside the superblock's
RIG_FLAGS=(--space-grace 25s)
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/../lib/ask.sh"
requires curl jq qemu-io iscsi-ls
requires_ashlar
rig_init
. "$(dirname "$0")/lun.sh"
answer="" # what ask hears
FULL=$((255 * 65536))

# write_begin LUN STEP: in the background, and it waits for space.
write_begin() {
    timeout 60 qemu-io --image-opts "$(lun "$1")" -c "$2" >"$RIG_DIR/waits" 2>&1 &
    WRITER=$!
    eventually 'no write waits' waiting 1
}

# write_ends: as it should.
write_ends() {
    wait "$WRITER" || { cat "$RIG_DIR/waits"; fail "the write that waited"; }
    ! grep -qiE 'fail|error' "$RIG_DIR/waits" || { cat "$RIG_DIR/waits"; fail "the write that waited"; }
    waiting 0 || fail "a write waits yet"
}

waiting() {
    [ "$(of /v1/pools/p .waiting_writes)" = "$1" ]
}

has_events() {
    [ "$(of "/v1/events?limit=1000&type=$1" '.items | length')" = "$2" ]
}

is_full() {
    [ "$(of /v1/pools/p .free)" = 0 ] || fail "the pool has $(of /v1/pools/p .free) bytes free, not 0"
}

rig_start
rig_volume v 64MiB 1
ctl pool create q --device "$RIG_DIR/q.img,size=64MiB"
ctl volume create w --pool q --size 64MiB
map w 2
io 1 "write -P 0x11 0 $FULL" flush
is_full
has_events pool.full 0 || fail "a pool that nobody wants more of is told to be full"

# --- a device is added ---
write_begin 1 'write -P 0x77 32M 1M'
eventually 'it is not told that the pool is full' has_events pool.full 1
io 1 'write -P 0x22 4M 1M' flush 'read -P 0x22 4M 1M' 'read -P 0x11 0 4M' 'read -P 0 32M 1M'
io 2 'write -P 0x33 0 8M' flush 'read -P 0x33 0 8M'
ctl snapshot create w/s
waiting 1 || fail "the write does not wait any more"
ctl device add p --path "$RIG_DIR/two.img" --size 8MiB
write_ends
io 1 'read -P 0x77 32M 1M' 'read -P 0x22 4M 1M' 'read -P 0x11 5M 8M'
eventually 'it is not told that the pool has space' has_events pool.has_space 1
has_events pool.full 1 || fail "that the pool is full is told again"
for line in 'the pool is full' 'the pool has space again'; do
    [ "$(grep -c "msg=\"$line\" pool=p" "$RIG_DIR/daemon.log")" = 1 ] || fail "the log does not say once: $line"
done

# --- space is given back ---
io 1 "write -P 0x12 33M $(of /v1/pools/p .free)" flush
is_full
write_begin 1 'write -P 0x78 48M 256k'
io 1 'discard 0 1M'
write_ends
io 1 'read -P 0x78 48M 256k' 'read -P 0 0 1M' "write -P 0x13 0 $(of /v1/pools/p .free)"

# --- who ends a wait ---
is_full
began_ms=$(date +%s%3N)
write_begin 1 'write 56M 64k'
guest=$(<"/proc/$WRITER/task/$WRITER/children") # a kill -9 of timeout itself would leave its child alive
kill -9 "${guest%% *}"
{ wait "$WRITER" || true; } 2>/dev/null
eventually 'the write of a guest that is gone waits' waiting 0
[ $(($(date +%s%3N) - began_ms)) -lt 25000 ] || fail "the write of a guest that is gone waited for its grace"
write_begin 1 'write 56M 64k'
unmap v
waiting 0 || fail "the write of a unit that is detached waits"
{ kill "$WRITER" && wait "$WRITER" || true; } 2>/dev/null
map v 1
write_begin 1 'write 56M 64k'
rig_stop
[ "$RIG_RC" = 0 ] || fail "with a write that waits the daemon ends with $RIG_RC"
{ kill "$WRITER" && wait "$WRITER" || true; } 2>/dev/null

# --- no space comes ---
RIG_FLAGS=(--space-grace 1s)
rig_start
is_full
session a "$RIG_IQN" 1
began_ms=$(date +%s%3N)
for _ in 1 2 3; do # unit attentions first
    ask a fill 114688 8
    [[ $answer == 'sense 700006'* ]] || break
done
[[ $answer == 'sense 700007'* && ${answer:30:4} == 2707 ]] || fail "a write without space is answered: $answer"
waited_ms=$(($(date +%s%3N) - began_ms))
[ "$waited_ms" -ge 1000 ] || fail "it waited $waited_ms ms, less than its grace"
io 1 'read -P 0x77 32M 1M' 'read -P 0 56M 64k'
rig_check | jq -e .clean >/dev/null || fail "the pool is not clean"
echo "went on twice, ended by a kill, a detach and a stop, failed after $waited_ms ms"
