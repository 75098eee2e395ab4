#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC2013,SC2154
# Inside the guest: makes a file system on its virtio disk and writes files, or reads them back.
# ASHLAR_mode=write|verify|both; ASHLAR_sum: for verify, what write answered (kept by the host, so that a
# disk that went back in time does not pass); ASHLAR_files, ASHLAR_kib: how many files of what size.
set -eu

disk=/dev/vda
mnt=/mnt

say() { echo "ASHLAR-GUEST: $*"; }

wait_for_disk() {
    tries=0
    while [ ! -b $disk ]; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || { say "FAIL: no $disk"; exit 1; }
        sleep 0.1
    done
    [ -e /sys/block/vda/device/driver ] && say "driver=$(basename "$(readlink /sys/block/vda/device/driver)")"
    say "bytes=$(($(cat /sys/block/vda/size) * 512))"
}

write_files() {
    # By its path: the shell would take its own applet of that name.
    /usr/bin/mke2fs -q -F -t ext4 $disk
    mount -t ext4 $disk $mnt
    mkdir $mnt/data
    i=0
    while [ $i -lt "${ASHLAR_files:-8}" ]; do
        dd if=/dev/urandom of=$mnt/data/file$i bs=1k count="${ASHLAR_kib:-1024}" 2>/dev/null
        i=$((i + 1))
    done
    (cd $mnt/data && sha256sum file*) >$mnt/sums
    sync
    sum=$(sha256sum <$mnt/sums | cut -d' ' -f1)
    say "sum=$sum"
    say "files=$i"
    umount $mnt
}

verify_files() {
    mount -t ext4 $disk $mnt
    sum=$(sha256sum <$mnt/sums | cut -d' ' -f1)
    [ "$sum" = "$ASHLAR_sum" ] || { say "FAIL: the list of checksums differs"; exit 1; }
    (cd $mnt/data && sha256sum -c -s ../sums) || { say "FAIL: a file differs"; exit 1; }
    say "files=$(wc -l <$mnt/sums)"
    umount $mnt
}

# Nothing of what the host had to put right was seen here.
no_error() {
    ! dmesg | grep -E "I/O error|EXT4-fs (error|warning)" || { say "FAIL: the disk had errors"; exit 1; }
}

wait_for_disk
case $ASHLAR_mode in
write) write_files ;;
verify) verify_files ;;
both)
    write_files
    ASHLAR_sum=$sum
    verify_files
    no_error
    ;;
*) say "FAIL: mode $ASHLAR_mode"; exit 1 ;;
esac
