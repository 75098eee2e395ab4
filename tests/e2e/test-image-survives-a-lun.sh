#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: an image that qemu-img copies onto a LUN and back compares equal, from raw and from qcow2, onto
# a LUN that held other data; and QEMU's own writes, zero writes and discards read back as they should.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires qemu-img qemu-io iscsi-ls curl

rig_init
rig_start
rig_volume a 64MiB 1
LUN="driver=raw,file.driver=iscsi,file.transport=tcp,file.portal=127.0.0.1:$RIG_PORT"
LUN+=",file.target=$RIG_NAME,file.lun=1,file.initiator-name=$RIG_IQN"

qemu() {
    timeout 60 "$@" >"$RIG_DIR/out" 2>&1 || { cat "$RIG_DIR/out"; fail "$*"; }
}

# Random data, runs of zeros, holes, and an odd tail inside the last extent.
make_image() {
    truncate -s 64M "$1"
    dd if=/dev/urandom of="$1" bs=1M count=20 conv=notrunc status=none
    dd if=/dev/zero of="$1" bs=4k seek=700 count=300 conv=notrunc status=none
    dd if=/dev/urandom of="$1" bs=512 seek=70001 count=9111 conv=notrunc status=none
    dd if=/dev/urandom of="$1" bs=512 seek=131071 count=1 conv=notrunc status=none
}

there_and_back() {
    qemu qemu-img convert -n -f "$2" "$1" --target-image-opts "$LUN"
    qemu qemu-img convert -O raw --image-opts "$LUN" "$RIG_DIR/back.raw"
    cmp "$RIG_DIR/back.raw" "$3" || fail "the image that comes back differs"
    qemu qemu-img compare -f raw -F raw "$RIG_DIR/back.raw" "$3"
}

make_image "$RIG_DIR/one.raw"
make_image "$RIG_DIR/two.raw"
there_and_back "$RIG_DIR/one.raw" raw "$RIG_DIR/one.raw"
qemu qemu-img convert -f raw -O qcow2 "$RIG_DIR/two.raw" "$RIG_DIR/two.qcow2"
there_and_back "$RIG_DIR/two.qcow2" qcow2 "$RIG_DIR/two.raw"

# -P reads back and compares; qemu-io exits 0 even so, hence the search.
io() {
    local args=() step
    for step in "$@"; do
        args+=(-c "$step")
    done
    timeout 60 qemu-io --image-opts "$LUN" "${args[@]}" >"$RIG_DIR/out" 2>&1 ||
        echo "error: qemu-io ended with $?" >>"$RIG_DIR/out"
    if grep -qiE 'fail|error|differ' "$RIG_DIR/out"; then
        cat "$RIG_DIR/out"
        fail "qemu-io $*"
    fi
}
io 'write -P 0xa1 0 1M' 'write -P 0xa2 4096 512' 'flush' \
    'read -P 0xa1 0 4096' 'read -P 0xa2 4096 512' 'read -P 0xa1 4608 65536'
io 'write -z 128k 64k' 'read -P 0 128k 64k' 'read -P 0xa1 192k 64k'
for flags in -z '-z -u'; do # 67,584 blocks in one WRITE SAME
    io 'write -P 0xa4 0 48M' "write $flags 2M 33M" 'read -P 0xa4 0 2M' 'read -P 0 2M 33M' 'read -P 0xa4 35M 13M'
done
io 'write -P 0xa1 0 1M' 'discard 256k 128k' 'read -P 0xa1 384k 64k' 'write -f -P 0xa3 256k 8k' 'read -P 0xa3 256k 8k'
[ "$RIG_TARGET" = tgt ] || io 'read -P 0 264k 120k' # discarded whole extents, all but the 8 KiB
