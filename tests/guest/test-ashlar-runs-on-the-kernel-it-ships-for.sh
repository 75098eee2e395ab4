#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The smoke suite with ashlard itself inside a guest on Debian 12's kernel (6.1): unprivileged, its
# state on a virtio disk, both I/O engines.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$here/../lib/rig.sh"
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
requires qemu-system-x86_64 qemu-img busybox cpio mke2fs iscsi-ls iscsi-inq iscsi-perf
GUEST_CACHE=${GUEST_CACHE:-$RIG_ROOT/var/cache}
export GUEST_MEM=768

rig_init
tree=$RIG_DIR/tree
block_iscsi=$(dpkg -L qemu-block-extra | grep '/block-iscsi\.so$')
guest_add "$tree" "$(rig_bin ashlard)" "$(rig_bin ashlarctl)" mke2fs qemu-img iscsi-ls iscsi-inq iscsi-perf
guest_add_library "$tree" "$block_iscsi"
install -m 644 "$here/guest-ashlard.sh" "$tree/guest-ashlard.sh"
guest_initramfs "$RIG_DIR/smoke.cpio.gz" "$here/guest-smoke.sh" "$tree"
truncate -s 2G "$RIG_DIR/disk.img"
guest_boot "$RIG_DIR/console" "$RIG_DIR/smoke.cpio.gz" 400 "ashlar.engines=uring,threads" \
    -drive "file=$RIG_DIR/disk.img,if=virtio,format=raw,cache=unsafe"
grep '^ASHLAR-GUEST' "$RIG_DIR/console" | tr -d '\r'
for engine in uring threads; do
    grep -q "^ASHLAR-GUEST: $engine: done" "$RIG_DIR/console" || fail "$engine did not run to its end"
done
