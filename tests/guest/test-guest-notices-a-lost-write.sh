#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The guest's proof must be able to fail: on a disk that lost a file's block, and on a disk that went
# back to an earlier write, the second boot says so.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$here/../lib/rig.sh"
requires qemu-system-x86_64 busybox cpio mke2fs

rig_init
disk=$RIG_DIR/disk.img
truncate -s 1G "$disk"
"$here/disk-boot.sh" write --disk "$disk" --state "$RIG_DIR"
cp --sparse=always "$disk" "$RIG_DIR/earlier.img"

must_fail() {
    if "$here/disk-boot.sh" verify --disk "$1" --state "$RIG_DIR" 2>"$RIG_DIR/why"; then
        fail "$2 passed"
    fi
    grep -q "$3" "$RIG_DIR/why" || fail "$2 failed for another reason: $(cat "$RIG_DIR/why")"
    echo "refused, as it must be: $2"
}

# The files are random bytes: the first block of the first big extent belongs to one of them.
offset=$(/sbin/debugfs -R "blocks /data/file3" "$disk" 2>/dev/null | awk '{print $1}')
dd if=/dev/zero of="$disk" bs=4096 seek="$offset" count=1 conv=notrunc status=none
must_fail "$disk" "a disk that lost a block" "a file differs"

"$here/disk-boot.sh" write --disk "$disk" --state "$RIG_DIR"
must_fail "$RIG_DIR/earlier.img" "a disk that went back in time" "the list of checksums differs"
