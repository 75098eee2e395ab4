#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a pool of two devices, with snapshots and a clone, leaves one box with a file and is taken by another, where
# its disks are what they were: data, snapshots, serial numbers and page 83h. What is taken there already is refused by
# name, so is a file that is too old, and one that is damaged. Whenever either daemon is killed (-9) in the middle, one
# box alone has the pool in the end, whole. It goes back the same way.
set -euo pipefail
RIG_POOL_SIZE=64MiB
. "$(dirname "$0")/../lib/rig.sh"
requires curl jq qemu-io iscsi-inq
requires_ashlar
rig_init
. "$(dirname "$0")/lun.sh"

KILLS=6
TOP=$RIG_DIR
FILE=$TOP/moving.pool
ONE=$TOP/one.img
TWO=$TOP/two.img

# box a|b: what the rig's functions are about from now on. Both daemons run at once.
declare -A pid port name
box() {
    if [ -n "${at:-}" ]; then
        pid[$at]=$RIG_PID port[$at]=$RIG_PORT name[$at]=$RIG_NAME
    fi
    at=$1
    RIG_DIR=$TOP/$at
    RIG_PID=${pid[$at]:-} RIG_PORT=${port[$at]:-} RIG_NAME=${name[$at]:-}
}
both_end() {
    box a
    rig_kill
    rig_log_clean
    box b
    rig_kill
    rig_log_clean
    RIG_DIR=$TOP
}
mkdir "$TOP/a" "$TOP/b"
: >"$TOP/a/daemon.log"
: >"$TOP/b/daemon.log"
cleanup_fn both_end

# What hosts know the volumes by.
identities() {
    of /v1/volumes '[.items[] | select(.pool == "moving") | [.name, .id, .naa, .serial]] | sort | tostring'
}
pages() {
    timeout 20 iscsi-inq -i "$RIG_IQN" -e 1 -c "$1" "$(rig_url 1)" | sed '/^Target/d'
}

see() {
    map v 1
    map v/s 2
    map c 3
    io 1 'read -P 0x22 0 8M' 'read -P 0x11 8M 24M'
    io_ro 2 'read -P 0x11 0 32M'
    io 3 'read -P 0x33 0 1M' 'read -P 0x11 1M 31M'
    pages 0x80 >"$TOP/80"
    pages 0x83 >"$TOP/83"
}
unsee() {
    unmap v
    unmap v/s
    unmap c
}

# export_pool, import_pool: they work. Devices are named the other way round.
export_pool() {
    rm -f "$FILE"
    for _ in $(seq 50); do # a session may not be done with what was unmapped just now
        ! rig_ctl pool export moving --path "$FILE" >"$RIG_DIR/out" 2>"$RIG_DIR/err" || return 0
        grep -q 'try again' "$RIG_DIR/err" || break
        sleep 0.1
    done
    cat "$RIG_DIR/err"
    fail "pool export"
}
import_pool() {
    ctl pool import --path "$FILE" --device "$TWO" --device "$ONE"
}
now_ms() {
    echo $(($(date +%s%N) / 1000000))
}

# killed_in ROUND MS ARGS...: the daemon, somewhere in what takes so long, or shortly after.
killed_in() {
    local asked delay_ms=$(($1 * $2 * 5 / 4 / KILLS))
    rig_ctl "${@:3}" >"$RIG_DIR/out" 2>&1 &
    asked=$!
    sleep "$((delay_ms / 1000)).$(printf %03d $((delay_ms % 1000)))"
    rig_kill
    { wait $asked || true; } 2>/dev/null
    rig_start
}
has_pool() {
    rig_api GET /v1/pools/moving >/dev/null 2>&1
}
clean() {
    rig_ctl pool check moving --json | jq -e .clean >/dev/null || fail "the pool on box $at is not clean"
}

box b
rig_start
box a
rig_start
ctl pool create moving --device "$ONE,size=64MiB" --device "$TWO,size=64MiB"
ctl volume create v --pool moving --size 32MiB
map v 1
io 1 'write -P 0x11 0 32M' flush
ctl snapshot create v --name s
io 1 'write -P 0x22 0 8M' flush
ctl volume clone v/s c
map c 3
io 3 'write -P 0x33 0 1M' flush
unmap v
unmap c
see
cp "$TOP/80" "$TOP/80.first"
cp "$TOP/83" "$TOP/83.first"
first=$(identities)

# --- while it is mapped it stays ---
refused 'is mapped' pool export moving --path "$FILE"
[ ! -e "$FILE" ] || fail "a refused export leaves a file"
unsee
ctl pool export moving --path "$FILE" --dry-run
has_pool || fail "a dry run has exported the pool"

# --- it goes to the other box ---
began=$(now_ms)
export_pool
export_ms=$(($(now_ms) - began))
[ "$(stat -c %a "$FILE")" = 600 ] || fail "others can read the file"
! has_pool || fail "the pool is still on the first box"
cp "$FILE" "$TOP/stale.pool"
box b
ctl volume create v --pool p --size 1MiB
refused 'names that are taken here: v' pool import --path "$FILE" --device "$ONE" --device "$TWO"
ctl volume delete v
refused "was $TWO, is not among" pool import --path "$FILE" --device "$ONE"
refused 'pool p exists' pool import --path "$FILE" --name p
cp "$FILE" "$TOP/bad.pool"
printf 'x' | dd of="$TOP/bad.pool" bs=1 seek=9000 conv=notrunc status=none
refused 'is damaged' pool import --path "$TOP/bad.pool"
ctl pool import --path "$FILE" --dry-run
! has_pool || fail "a dry run has imported the pool"
began=$(now_ms)
import_pool
import_ms=$(($(now_ms) - began))
[ "$(identities)" = "$first" ] || fail "identities: $(identities), not $first"
see
cmp "$TOP/80" "$TOP/80.first" || fail "the unit serial number is another"
cmp "$TOP/83" "$TOP/83.first" || fail "page 83h is another"
unsee
clean
[ "$(dd if="$TWO" bs=1 skip=112 count=36 status=none)" = "$(of /v1 .id)" ] || fail "the device names another box"
for what in exported:a imported:b; do
    box "${what#*:}"
    [ "$(of '/v1/events?limit=1000' "[.items[] | select(.type == \"pool.${what%:*}\")] | length")" = 1 ] ||
        fail "no event tells that it was ${what%:*}"
    [ "$(of '/v1/audit?limit=1000' "[.items[] | select(.operation == \"pool_${what%ed:*}\")] | length")" = 1 ] ||
        fail "the audit log does not have the ${what%ed:*}"
done

# --- the old file and the old owner are nobody ---
box a
refused 'in use' pool import --path "$TOP/stale.pool"
restart
! has_pool || fail "the first box has the pool again"
box b
rig_stop # nobody holds the devices now
box a
refused 'stale.pool \(generation [0-9]+\) is older than' pool import --path "$TOP/stale.pool"
box b
rig_start
export_pool
box a
refused 'stale.pool \(generation [0-9]+\) is older than' pool import --path "$TOP/stale.pool"

# --- and back, over kills in the middle of the import ---
kept=0
for round in $(seq $KILLS); do
    box a
    killed_in "$round" $import_ms pool import --path "$FILE"
    if has_pool; then
        kept=$((kept + 1))
    else # the file is as good as it was
        import_pool
    fi
    clean
    [ "$(identities)" = "$first" ] || fail "round $round: identities: $(identities), not $first"
    box b
    refused "in use|older than" pool import --path "$FILE"
    box a
    export_pool
done
import_pool
see
unsee
echo "an import takes $import_ms ms; of $KILLS that were killed $kept had taken the pool"

# --- over kills in the middle of the export ---
kept=0
for round in $(seq $KILLS); do
    box a
    rm -f "$FILE"
    killed_in "$round" $export_ms pool export moving --path "$FILE"
    if has_pool; then
        kept=$((kept + 1))
        [ ! -e "$FILE" ] || cp "$FILE" "$TOP/killed.pool"
        box b
        refused '.' pool import --path "$FILE"
    else
        box b
        import_pool
        clean
        [ "$(identities)" = "$first" ] || fail "round $round: identities: $(identities), not $first"
        export_pool
        box a
        import_pool
    fi
done
box a
see
cmp "$TOP/83" "$TOP/83.first" || fail "page 83h is another at home"
if [ -e "$TOP/killed.pool" ]; then # what an export that was cut off has left
    unsee
    export_pool
    box b
    refused 'is older than|no exported pool' pool import --path "$TOP/killed.pool" --device "$ONE" --device "$TWO"
    box a
    import_pool
    see
fi
unsee
clean
echo "an export takes $export_ms ms; of $KILLS that were killed $kept had not given the pool away"
