#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: snapshots are deleted in any order, over a restart and with clones among them: the volume, the
# clones and the snapshots that are left hold what they held, and in the end the pool has as much in
# use as the data that is left. ORDER_SEED: printed, and repeats an order.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/lun.sh"
. "$(dirname "$0")/../crash/agree.sh"
requires qemu-io curl jq
requires_ashlar

COUNT=6
RANDOM=${ORDER_SEED:=$((RANDOM * 32768 + RANDOM))}
echo "ORDER_SEED=$ORDER_SEED"
rig_init
rig_start
ctl volume create v --pool p --size 64MiB
map v 1

# Before snapshot i: all of 4 MiB at i MiB, and 64 KiB of every one before.
for i in $(seq $COUNT); do
    steps=("write -P $((0x10 + i)) ${i}M 4M")
    for j in $(seq "$i"); do
        steps+=("write -P $((0x40 + i)) $((20 + j))M $((i * 4))k")
    done
    io 1 "${steps[@]}" flush
    ctl snapshot create "v/s$i"
done
io 1 'write -P 0x77 4M 64k' 'discard 21M 64k' flush
ctl volume clone v/s3 c
map c 2
io 2 'write -P 0x88 3M 64k' flush

# What a snapshot holds: the last write of those before it wins.
snapshot_steps() {
    local i=$1 j
    STEPS=("read -P $((0x10 + i)) $((i + 1))M 3M" "read -P 0 30M 1M")
    for j in $(seq "$i"); do
        STEPS+=("read -P $((0x10 + j)) ${j}M 1M" "read -P $((0x40 + i)) $((20 + j))M $((i * 4))k"
            "read -P 0 $(((20 + j) * 1024 + i * 4))k 64k")
    done
}

the_others_hold() {
    local i
    for i in "${LEFT[@]}"; do
        snapshot_steps "$i"
        map "v/s$i" 9
        io_ro 9 "${STEPS[@]}"
        unmap "v/s$i"
    done
    io 1 "read -P $((0x11)) 1M 1M" "read -P $((0x77)) 4M 64k" "read -P $((0x16)) 6M 4M" \
        'read -P 0 21M 1M' "read -P $((0x46)) 26M 24k" 'read -P 0 40M 1M'
    io 2 "read -P $((0x13)) 3136k 3008k" "read -P $((0x88)) 3M 64k" "read -P $((0x43)) 22M 12k" 'read -P 0 24M 1M'
}

mapfile -t LEFT < <(seq $COUNT)
the_others_hold
while [ ${#LEFT[@]} -gt 0 ]; do
    at=$((RANDOM % ${#LEFT[@]}))
    ctl snapshot delete "v/s${LEFT[at]}"
    unset "LEFT[at]"
    LEFT=("${LEFT[@]}")
    [ ${#LEFT[@]} != 3 ] || restart
    the_others_hold
done
pool_agrees "after all snapshots are deleted"

# The clone has what it shares still; without it the volume's own extents are all there is.
unmap c
ctl volume delete c
# 9 MiB at 1M, 64 KiB each at 22M to 26M.
used_becomes $((9 * 1048576 + 5 * 65536))
[ "$(of /v1/volumes/v .allocated)" = "$(of /v1/pools/p .used)" ] || fail "the volume owns less than the pool uses"
pool_agrees "after the clone is deleted"
unmap v
ctl volume delete v
used_becomes 0
