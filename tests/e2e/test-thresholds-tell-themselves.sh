#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: as a pool is filled, the threshold that each unit has from the start is told by itself: once to
# every nexus that sees a unit of the pool, to who watches the API and in the log; again when it is crossed
# again, after a while without any command too; a full pool protects its data. What an initiator has saved,
# the cache that it has switched off first of all, is in force after a SIGKILL, and then a write needs no
# flush to outlive one.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/../lib/ask.sh"
requires curl jq iscsi-ls
requires_ashlar
answer="" # what ask hears

RIG_POOL_SIZE=64MiB # 1,023 extents of 64 KiB beside the superblock's; a quarter of them: 255
EXTENT=128          # its blocks of 512
REACHED='380700'    # in fixed sense: code, qualifier, unit

# is_told NAME OFFSET: the answer is that the threshold whose descriptor is there was reached.
is_told() {
    [[ $answer == "sense f00006"* && ${answer:12:8} == "$(printf %08x "$2")" && ${answer:30:6} == "$REACHED" ]] ||
        fail "session $1 is told: $answer"
}

# told NAME OFFSET: its next command is told so, and no other is.
told() {
    ask "$1" none 000000000000
    is_told "$1" "$2"
    quiet "$1"
}

# cross OFFSET LBA BLOCKS TYPE N: session a fills these blocks, and is told on the way or right after it; then
# there are N events of this type.
cross() {
    ask a fill "$2" "$3"
    crossed_ms=$(date +%s%3N)
    if [[ $answer == good* ]]; then
        eventually 'no event tells that the threshold is reached' has_events "$4" "$5"
        told a "$1"
    else
        is_told a "$1"
        good a fill "$2" "$3"
        eventually 'no event tells that the threshold is reached' has_events "$4" "$5"
        quiet a
    fi
}

quiet() {
    ask "$1" none 000000000000
    [ "$answer" = good ] || fail "session $1 is told of nothing new: $answer"
}

events() {
    rig_api GET "/v1/events?limit=1000&type=$1" | jq '.items | length'
}

has_events() {
    [ "$(events "$1")" = "$2" ]
}

free_extents() {
    rig_api GET /v1/pools/p | jq '.free / 65536'
}

has_free() {
    [ "$(free_extents)" -ge "$1" ]
}

# nothing_comes N: beyond these N events; there are several looks meanwhile.
nothing_comes() {
    sleep 0.5
    has_events pool.threshold_reached "$1" || fail "there are $(events pool.threshold_reached) events, not $1"
}

pool_lines() {
    grep -c 'msg="thin provisioning threshold reached" pool=p volume=-' "$RIG_DIR/daemon.log" || true
}

has_pool_lines() {
    [ "$(pool_lines)" = "$1" ]
}

# killed: kill -9, a start, and session again. What is beyond its threshold is told once more, to who has logged in by then.
killed() {
    local lines
    lines=$(pool_lines)
    rig_stop KILL
    rig_start
    session again "$RIG_IQN" 1
    eventually 'the pool is not looked at' has_pool_lines $((lines + 1))
    ask again none 000000000000
    while [ "$answer" != good ]; do
        [[ $answer == "sense f00006"* && ${answer:30:6} == "$REACHED" ]] || fail "after the kill it is told: $answer"
        ask again none 000000000000
    done
}

rig_init
rig_start
rig_volume v 256MiB 1
rig_volume w 256MiB 2
session a "$RIG_IQN" 1
session b "$RIG_IQN2" 1
session c "$RIG_IQN2" 2

# A quarter of the pool: MODE SENSE(10) of 1Ch/02h, current values.
good a in 64 5a081c02000000004000
[ "${answer:53:16}" = 80010000000000ff ] || fail "the threshold is not at 255 extents: $answer"

good a fill 0 $((600 * EXTENT))
nothing_comes 0
quiet a
quiet b
cross 16 $((600 * EXTENT)) $((180 * EXTENT)) pool.threshold_reached 1
event=$(rig_api GET '/v1/events?limit=1000&type=pool.threshold_reached' | jq '.items[0]')
late_ms=$(($(date -d "$(jq -r .time <<<"$event")" +%s%3N) - crossed_ms))
[ "$(jq -r '.subject.name, .data.threshold, .data.volumes' <<<"$event" | paste -sd' ')" = "p $((255 * 65536)) 2" ] ||
    fail "the event says: $event"
told b 16
told c 16
grep -q 'msg="thin provisioning threshold reached" pool=p' "$RIG_DIR/daemon.log" || fail "the log does not say so"

# Further down it is not told again; up and down again it is.
good a fill $((780 * EXTENT)) $((40 * EXTENT))
nothing_comes 1
quiet a
for lba in 0 15360 30720 46080; do # 120 extents each, of the first 480
    good a out "$(printf '0016001000000000%016x%08x00000000' "$lba" 15360)" 42000000000000001800
done
good a none 35000000000000000000
eventually 'the space does not come back' has_free 600
nothing_comes 1
sleep 16 # so long without a command that nobody looks any more
cross 16 0 $((480 * EXTENT)) pool.threshold_reached 2
told b 16
told c 16

# What the volume owns: a second threshold of it, at 900 extents, in the second descriptor.
good a out "00000000000000005c02002c$(printf '0%.0s' $(seq 24))80010000000000ff8102000000000384$(printf '0%.0s' $(seq 32))" \
    55100000000000003800
ask b none 000000000000
[[ $answer == 'sense 700006'* && ${answer:30:4} == 2a01 ]] || fail "of changed modes another nexus is told: $answer"
cross 24 $((820 * EXTENT)) $((90 * EXTENT)) volume.threshold_reached 1
told b 24
quiet c

# Full: the data is protected, in either format of the sense.
ask a fill $((910 * EXTENT)) $((200 * EXTENT))
[[ $answer == 'sense 700007'* && ${answer:30:4} == 2707 ]] ||
    fail "a write without space is answered: $answer"
good a out 000000000a0a24100000000000000000 151000001000
ask a fill $((1100 * EXTENT)) $EXTENT
[[ $answer == 'sense 72072707'* ]] || fail "with descriptor sense it is answered: $answer"
has_events pool.full 1 || fail "no event tells of the full pool"
good a out 000000000a0a20100000000000000000 151000001000

# Off with the cache, for good: SP. The kill comes without a flush.
good a out "000000000812$(printf '0%.0s' $(seq 36))" 151100001800
good a in 24 1a080800ff00
[ "${answer:5:14}" = 17001000881200 ] || fail "the cache is not off: $answer"
killed
for control in 08 c8; do # current, saved
    good again in 24 "1a08${control}00ff00"
    [ "${answer:5:14}" = 17001000881200 ] || fail "after the kill the cache is on again: $answer"
done
good again in 24 1a088800ff00
[ "${answer:5:14}" = 17001000881204 ] || fail "the default is not told apart: $answer"
good again in 64 5a081c02000000004000
[ "${answer:69:16}" = 8102000000000384 ] || fail "the volume's threshold was not saved with it: $answer"
good again out "$(printf '0016001000000000%016x%08x00000000' 0 15360)" 42000000000000001800
eventually 'the space does not come back' has_free 100
good again fill $((1200 * EXTENT)) 8
killed
good again in 512 28000002580000000100
[[ $answer == "good a5a5a5a5"* ]] || fail "a write with the cache off is gone: ${answer:0:40}"
echo "told to 3 sessions, by 3 events and in the log; the first event after $late_ms ms; 2 kills -9"
