#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: QEMU's own initiator gives space back: what it discards and what it writes as zeros, with and without
# leave to unmap, is no longer used and reads as zeros; qemu-img map shows data and zeros where they were
# written; a sparse image that is copied onto a LUN takes the space of its data, and comes back as it was.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/lun.sh"
requires qemu-img qemu-io iscsi-ls curl jq
requires_ashlar

rig_init
rig_start
rig_volume a 64MiB 1
rig_volume b 64MiB 2
MiB=1048576

# mapped N: the LUN's extents as qemu-img sees them, one a line: START LENGTH data|zero, in KiB. Neighbours
# of a kind are one: how many a target tells of in one answer is its own affair.
mapped() {
    timeout 60 qemu-img map --output=json --image-opts "$(lun "$1")" >"$RIG_DIR/map" ||
        fail "qemu-img map of LUN $1"
    jq -r 'reduce .[] as $e ([];
            ($e | if .data and (.zero | not) then "data" elif .zero and (.data | not) then "zero" else "odd" end)
                as $kind |
            if length > 0 and .[-1].kind == $kind and .[-1].end == $e.start
            then .[-1].end = $e.start + $e.length
            else . + [{start: $e.start, end: ($e.start + $e.length), kind: $kind}] end) |
        .[] | "\(.start / 1024) \((.end - .start) / 1024) \(.kind)"' "$RIG_DIR/map"
}

# maps N LINE...: that and nothing else.
maps() {
    local seen
    seen=$(mapped "$1")
    [ "$seen" = "$(printf '%s\n' "${@:2}")" ] || { cat "$RIG_DIR/map"; fail "LUN $1 is mapped so: $seen"; }
}

maps 1 "0 65536 zero"
io 1 'write -P 0xa1 1M 16M' flush
used_becomes $((16 * MiB))
maps 1 "0 1024 zero" "1024 16384 data" "17408 48128 zero"

# Discarded: whole extents, then single blocks of one, then the rest of it.
io 1 'discard 4M 4M' flush
maps 1 "0 1024 zero" "1024 3072 data" "4096 4096 zero" "8192 9216 data" "17408 48128 zero"
io 1 'read -P 0xa1 1M 3M' 'read -P 0 4M 4M' 'read -P 0xa1 8M 9M'
io 1 'discard 8M 4k' 'discard 8200k 8k' flush
maps 1 "0 1024 zero" "1024 3072 data" "4096 4100 zero" "8196 4 data" "8200 8 zero" "8208 9200 data" \
    "17408 48128 zero"
io 1 'discard 8M 64k' flush
used_becomes $((12 * MiB - 65536))

# Zeros, with and without leave to unmap.
io 1 'write -z -u 9M 2M' 'write -z 12M 2M' flush
used_becomes $((8 * MiB - 65536))
maps 1 "0 1024 zero" "1024 3072 data" "4096 4160 zero" "8256 960 data" "9216 2048 zero" "11264 1024 data" \
    "12288 2048 zero" "14336 3072 data" "17408 48128 zero"
io 1 'read -P 0xa1 1M 3M' 'read -P 0 4M 4160k' 'read -P 0xa1 8256k 960k' 'read -P 0 9M 2M' 'read -P 0xa1 11M 1M' \
    'read -P 0 12M 2M' 'read -P 0xa1 14M 3M' 'read -P 0 17M 47M'
restart
maps 1 "0 1024 zero" "1024 3072 data" "4096 4160 zero" "8256 960 data" "9216 2048 zero" "11264 1024 data" \
    "12288 2048 zero" "14336 3072 data" "17408 48128 zero"

# What was given back serves again.
io 1 'write -P 0xb2 4M 4M' flush 'read -P 0xb2 4M 4M'
io 1 'discard 0 64M' flush
used_becomes 0
maps 1 "0 65536 zero"

# A sparse image, onto a LUN that is new and onto one that is full of other data, there and back.
sparse=$RIG_DIR/sparse.raw
truncate -s 64M "$sparse"
for at in 0 17 63; do
    dd if=/dev/urandom of="$sparse" bs=1M seek=$at count=1 conv=notrunc status=none
done
io 2 'write -P 0xc3 0 64M' flush
for n in 1 2; do
    timeout 120 qemu-img convert -n -f raw "$sparse" --target-image-opts "$(lun $n)" ||
        fail "qemu-img convert onto LUN $n"
    maps $n "0 1024 data" "1024 16384 zero" "17408 1024 data" "18432 46080 zero" "64512 1024 data"
    rm -f "$RIG_DIR/back.raw"
    timeout 120 qemu-img convert -O raw --image-opts "$(lun $n)" "$RIG_DIR/back.raw" ||
        fail "qemu-img convert from LUN $n"
    cmp "$RIG_DIR/back.raw" "$sparse" || fail "the image that comes back from LUN $n differs"
done
used_becomes $((6 * MiB))
echo "discarded, zeroed, mapped and copied sparse: 6 MiB in use for two images of 64 MiB"
