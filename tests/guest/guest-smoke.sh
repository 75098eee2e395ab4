#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC2034,SC2154
# Inside the guest: ashlard itself on the kernel that it ships for, with its state on a virtio disk,
# used over the loopback by libiscsi's and QEMU's tools; stopped, started, killed, started.
# ASHLAR_engines: a comma list of the I/O engines to run, each on a fresh catalog and pool.
set -eu

port=3260
top=/srv/ashlar
log=/tmp/ashlard.log
# shellcheck source=tests/guest/guest-ashlard.sh
. /guest-ashlard.sh

compare() {
    read_lun 1 /tmp/back.img || fail "qemu-img convert back"
    cmp "$1" /tmp/back.img || fail "$2: what was read differs from what was written"
    say "$engine: $2: equal"
}

smoke() {
    what=$engine
    dir=$top/$engine
    mkdir -p "$dir/state"
    chown -R ashlar "$dir"
    : >$log
    start --io-engine "$engine"
    grep -q "msg=\"disk engine\".* engine=$engine" $log || fail "the log does not name the engine"
    # What 6.1 has, and what an older kernel would do without.
    [ "$engine" = threads ] || grep -q "mode=defer_taskrun" $log || fail "io_uring is not used as it should be"

    ctl pool create p --device "$dir/pool.img,size=256MiB" >/dev/null || fail "pool create"
    ctl volume create v --pool p --size 16MiB >/dev/null || fail "volume create"
    ctl host create h --initiator $iqn >/dev/null || fail "host create"
    ctl mapping create v h --lun 1 >/dev/null || fail "mapping create"

    find_name
    timeout 30 iscsi-ls -i $iqn -s iscsi://127.0.0.1:$port >/tmp/ls || fail "iscsi-ls -s"
    grep -q '^Lun:1 ' /tmp/ls || fail "iscsi-ls shows no LUN 1: $(cat /tmp/ls)"
    url=iscsi://127.0.0.1:$port/$name/1
    timeout 30 iscsi-inq -i $iqn "$url" >/tmp/inq || fail "iscsi-inq"
    timeout 30 iscsi-inq -i $iqn -e 1 -c 0x83 "$url" >/tmp/inq83 || fail "iscsi-inq of page 83"
    say "$engine: $(sed -n 's/^Vendor: *//p' /tmp/inq) LUN 1 of $name"

    for round in first second; do
        dd if=/dev/urandom of=/tmp/$round.img bs=64k count=256 2>/dev/null
    done
    write_lun 1 /tmp/first.img || fail "qemu-img convert"
    compare /tmp/first.img "written and read"
    stop TERM 0
    start --io-engine "$engine"
    compare /tmp/first.img "after a stop and a start"
    write_lun 1 /tmp/second.img || fail "qemu-img convert"
    stop KILL 137
    start --io-engine "$engine"
    compare /tmp/second.img "after kill -9 and a start"
    timeout 60 iscsi-perf -i $iqn -b 8 -m 8 -r -t 3 "$url" >/tmp/perf 2>&1 || fail "iscsi-perf: $(tail -n 3 /tmp/perf)"
    stop TERM 0
    say "$engine: done"
}

what=none
mkdir -p $top /etc
make_user
/usr/bin/mke2fs -q -F -t ext4 /dev/vda
mount -t ext4 /dev/vda $top
chmod 755 $top
say "kernel=$(uname -r)"
for engine in $(echo "$ASHLAR_engines" | tr ',' ' '); do
    smoke
done
umount $top
