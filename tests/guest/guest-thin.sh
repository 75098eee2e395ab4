# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC2154
# Inside the guest, for guest-initiator.sh: a thin disk as the kernel's own SCSI stack uses it. The host looks
# at the space in use each time that this has said a word, and says "next".

FILE_MIB=3

# thin_says WORD: all of it is on the disk; goes on when the host has looked.
thin_says() {
    sync
    say "$1"
    await next
}

# random FILE MIB
random() { dd if=/dev/urandom of="$1" bs=1M count="$2" conv=notrunc,fsync 2>/dev/null; }

# part DISK FROM COUNT: those MiB, from the disk itself.
part() { dd if="$1" bs=1M skip="$2" count="$3" iflag=direct 2>/dev/null; }

# holds DISK FROM COUNT FILE WHAT: those MiB are the file's.
holds() {
    part "$1" "$2" "$3" | /usr/bin/cmp -n $(($3 << 20)) - "$4" || fail "MiB $2 + $3 of $1 are not $5"
}

zeros() { holds "$1" "$2" "$3" /dev/zero zeros; }

# remounted DISK
remounted() {
    umount /mnt
    mount -t ext4 "$1" /mnt
}

blocks_of() { cat "/sys/class/block/$1/size"; }

thin_trim() {
    /usr/bin/mke2fs -q -F -t ext4 "$1"
    mount -t ext4 "$1" /mnt
    for file in a b c; do
        random /mnt/$file $FILE_MIB
    done
    cp /mnt/b /tmp/kept
    thin_says written
    rm /mnt/a /mnt/c
    sync
    /usr/bin/fstrim -v /mnt
    thin_says trimmed
    remounted "$1"
    /usr/bin/cmp /mnt/b /tmp/kept || fail "fstrim took a file"
    umount /mnt
}

thin_discard() {
    /usr/bin/blkdiscard -f "$1"
    zeros "$1" 0 32
    thin_says discarded
    random "$1" 8
    part "$1" 0 2 >/tmp/before
    part "$1" 6 2 >/tmp/behind
    thin_says refilled
    /usr/bin/blkdiscard -f -z -o $((2 << 20)) -l $((4 << 20)) "$1"
    zeros "$1" 2 4
    holds "$1" 0 2 /tmp/before "as they were"
    holds "$1" 6 2 /tmp/behind "as they were"
    thin_says zeroed
}

# The host makes it larger. Nobody here is told before the next command, which is answered with a unit attention.
thin_grow() {
    name=$(basename "$1")
    /usr/bin/mke2fs -q -F -t ext4 "$1"
    mount -t ext4 "$1" /mnt
    random /mnt/old $FILE_MIB
    cp /mnt/old /tmp/kept
    size=$(blocks_of "$name")
    thin_says small
    part "$1" 0 1 >/dev/null
    [ "$(kernel_said 'Capacity data has changed')" -ge 1 ] || fail "no unit attention for the new size"
    [ "$(blocks_of "$name")" = "$size" ] || fail "the size changed without a rescan"
    echo 1 >"/sys/class/block/$name/device/rescan"
    say "blocks=$(blocks_of "$name")"
    /usr/bin/resize2fs "$1" >/tmp/resize 2>&1 || fail "resize2fs: $(cat /tmp/resize)"
    for part in 1 2 3 4 5 6 7 8 9 10; do
        cat /tmp/kept
    done >/tmp/new
    cp /tmp/new /mnt/new
    remounted "$1"
    /usr/bin/cmp /mnt/old /tmp/kept && /usr/bin/cmp /mnt/new /tmp/new || fail "a file differs on the larger disk"
    thin_says used
    umount /mnt
}

task_thin() {
    discover "$ASHLAR_portal"
    with "$ASHLAR_portal" "node.conn[0].timeo.noop_out_interval" 0 # a busy machine is no dead target
    login "$ASHLAR_portal"
    until_true 30 "a disk" disk_count_is 1
    disk=/dev/$(disks)
    [ "$(cat /sys/class/scsi_disk/*/provisioning_mode)" = unmap ] || fail "the kernel does not unmap"
    [ "$(cat "/sys/class/block/$(disks)/queue/write_zeroes_max_bytes")" != 0 ] || fail "the kernel cannot write zeros"
    thin_trim "$disk"
    thin_discard "$disk"
    thin_grow "$disk"
    no_error_of sd
    logout "$ASHLAR_portal"
}
