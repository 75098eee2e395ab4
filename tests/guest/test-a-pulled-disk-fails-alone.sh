#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a disk that is pulled out of its slot under I/O fails alone: what lies on the pool's other disk is served, also
# over a restart, and all is there when it is plugged in again; emptied and removed it can be pulled for good. ashlard is
# inside a guest, on block devices.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$here/../lib/rig.sh"
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
requires qemu-system-x86_64 qemu-img busybox cpio mke2fs iscsi-ls iscsi-perf
GUEST_CACHE=${GUEST_CACHE:-$RIG_ROOT/var/cache}
export GUEST_MEM=768

rig_init
tree=$RIG_DIR/tree
guest_add "$tree" "$(rig_bin ashlard)" "$(rig_bin ashlarctl)" mke2fs qemu-img iscsi-ls iscsi-perf
guest_add_library "$tree" "$(dpkg -L qemu-block-extra | grep '/block-iscsi\.so$')"
install -m 644 "$here/guest-ashlard.sh" "$tree/guest-ashlard.sh"
guest_initramfs "$RIG_DIR/pull.cpio.gz" "$here/guest-pull.sh" "$tree"
disks=()
for disk in state one two three; do
    truncate -s 256M "$RIG_DIR/$disk.img"
    disks+=(-drive "file=$RIG_DIR/$disk.img,if=virtio,format=raw,cache=unsafe")
done
guest_boot "$RIG_DIR/console" "$RIG_DIR/pull.cpio.gz" 400 "" "${disks[@]}"
grep '^ASHLAR-GUEST' "$RIG_DIR/console" | tr -d '\r'
