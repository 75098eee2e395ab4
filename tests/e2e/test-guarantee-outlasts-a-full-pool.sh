#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a volume writes all that it is guaranteed, over and over and under verified load, while another takes all
# that the pool has for anybody; a kill (-9) and a snapshot leave it so. What the pool has not is not guaranteed,
# and a pool with a cap promises no more than that; a dry run says the same and changes nothing.
set -euo pipefail
RIG_POOL_SIZE=256MiB
RIG_FLAGS=(--space-grace 0) # refused at once, a hundred times and more
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/lun.sh"
requires curl jq qemu-io
requires_ashlar

rig_init
rig_start
KEPT=67108864 # 64 MiB

# is PATH FILTER VALUE
is() {
    local value
    value=$(of "$1" "$2")
    [ "$value" = "$3" ] || fail "$1: $2 is $value, not $3"
}

# greedy: LUN 2 writes a MiB after the other, until the pool has nothing for it, and on.
greedy() {
    local args=() i
    for i in $(seq 0 255); do
        args+=(-c "write -P 0x22 ${i}M 1M")
    done
    qemu-io --image-opts "$(lun 2)" "${args[@]}" >"$RIG_DIR/greedy" 2>&1 || true
    grep -q 'No space left' "$RIG_DIR/greedy"
}

# --- what is not there is not promised ---
refused '--guaranteed 1GiB: pool p lacks ' volume create v --pool p --size 1GiB --guaranteed 1GiB
refused '--guaranteed 1GiB: pool p lacks ' volume create v --pool p --size 1GiB --guaranteed 1GiB --dry-run
refused '--guaranteed 128MiB: .*more than its size' volume create v --pool p --size 64MiB --guaranteed 128MiB
ctl pool change p --overcommit-cap-percent 150
refused '--size 1GiB: pool p has an overcommit cap of 150 %' volume create v --pool p --size 1GiB
refused '--size 1GiB: pool p has an overcommit cap of 150 %' volume create v --pool p --size 1GiB --dry-run
is /v1/pools/p '[.provisioned, .reserved, .volume_count] | join(" ")' '0 0 0'
ctl volume create v --pool p --size 64MiB
map v 1
ctl volume create w --pool p --size 256MiB
map w 2
refused '--size 192MiB: .*268435456 more|--size 192MiB: ' volume change v --size 192MiB
ctl volume change v --guaranteed 64MiB --dry-run
is /v1/volumes/v .guaranteed 0
ctl volume change v --guaranteed 64MiB
is /v1/volumes/v '[.guaranteed, .reserved] | join(" ")' "$KEPT $KEPT"
is /v1/pools/p .reserved "$KEPT"

# --- the other takes all the rest, while a load writes, unmaps and verifies ---
io 1 'write -P 0x11 0 16M' flush
greedy || fail "the pool was not filled"
is /v1/pools/p .available 0
"$(rig_bin ashlar-load)" --connections 4 --depth 8 --seconds 5 --region 8388608 --initiator "$RIG_IQN" \
    "$(rig_url 1)" >"$RIG_DIR/load" 2>&1 &
load=$!
while kill -0 "$load" 2>/dev/null; do
    greedy || fail "the pool is not full any more"
done
wait "$load" || { cat "$RIG_DIR/load"; fail "a write within the guarantee, or its data"; }
for n in 1 2 3; do
    io 1 'discard 0 64M' "write -P 0x3$n 0 32M" "write -P 0x4$n 32M 32M" "read -P 0x3$n 0 32M" "read -P 0x4$n 32M 32M" flush
    greedy || fail "the pool is not full any more"
done
is /v1/volumes/v .reserved 0

# --- a kill, and a snapshot that has no room for all of it once more ---
rig_kill
rig_start
is /v1/volumes/v '[.guaranteed, .reserved] | join(" ")' "$KEPT 0"
refused 'pool p lacks ' snapshot create v/s
refused 'pool p lacks ' snapshot create v/s --dry-run
io 2 'discard 0 96M' flush
for _ in $(seq 100); do # until that has aged
    [ "$(of /v1/pools/p .available)" -lt "$KEPT" ] || break
    sleep 0.1
done
ctl snapshot create v/s
is /v1/volumes/v .reserved "$KEPT"
greedy || fail "the pool is not full again"
io 1 'write -P 0x55 0 32M' 'write -P 0x56 32M 32M' 'read -P 0x55 0 32M' 'read -P 0x56 32M 32M' flush
rig_check | jq -e .clean >/dev/null || fail "the pool is not clean"
