#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: qemu-img convert -C between two LUNs has the target copy (EXTENDED COPY): the image is right, in a pool, from
# one to another and from a snapshot, where the target had other data and where the source has holes, and next to
# nothing of it went over the wire; in a pool it takes next to no space of its own.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/lun.sh"
. "$(dirname "$0")/../lib/ask.sh"
requires qemu-img qemu-io curl jq
requires_ashlar

rig_init
rig_start
MiB=1048576
rig_volume a 64MiB 1
rig_volume b 64MiB 2
ctl pool create q --device "$RIG_DIR/other.img,size=256MiB"
ctl volume create c --pool q --size 64MiB
map c 3

# moved: bytes that commands have read and written, so far.
moved() {
    rig_api GET /metrics | awk '/^ashlar_(read|written)_bytes_total / {sum += $2} END {printf "%d\n", sum}'
}

# An odd number of blocks, at odd places: whole extents and parts of some.
image=$RIG_DIR/image.raw
truncate -s 64M "$image"
for at in 0 40007 80001 111061; do
    dd if=/dev/urandom of="$image" bs=512 seek=$at count=20011 conv=notrunc status=none
done
timeout 120 qemu-img convert -n -f raw "$image" --target-image-opts "$(lun 1)" || fail "the image onto LUN 1"
[ "$(moved)" -gt $((36 * MiB)) ] || fail "the metrics tell of $(moved) bytes for the image itself"
io 2 'write -P 0xc3 0 64M' flush
io 3 'write -P 0xc4 3M 7M' flush

# holds LUN: the image.
holds() {
    rm -f "$RIG_DIR/back.raw"
    timeout 120 qemu-img convert -O raw --image-opts "$(lun "$1")" "$RIG_DIR/back.raw" || fail "from LUN $1"
    cmp "$RIG_DIR/back.raw" "$image" || fail "LUN $1 differs from the image"
}

# copied FROM TO: as a client that does not move the data.
wire=0
copied() {
    local before bytes
    before=$(moved)
    timeout 120 qemu-img convert -n -C --image-opts "$(lun "$1")" --target-image-opts "$(lun "$2")" ||
        fail "qemu-img convert -C from LUN $1 to LUN $2"
    bytes=$(($(moved) - before))
    [ $bytes -lt $MiB ] || fail "$bytes bytes went over the wire from LUN $1 to LUN $2"
    wire=$((wire + bytes))
    holds "$2"
}

copied 1 2
copied 1 3
# What was there before is given back when nothing on the disk names it any more.
takes_no_space() { [ "$(of /v1/pools/p .used)" -lt $((60 * MiB)) ]; }
eventually "the pool has $(of /v1/pools/p .used) bytes in use for one image twice" takes_no_space
restart
holds 2
holds 3

ctl snapshot create a/s
map a/s 4
io 1 'write -P 0xc5 0 64M' flush
io 2 'write -P 0xc6 0 64M' flush
copied 4 2
echo "three images of 64 MiB copied with $wire bytes over the wire"
