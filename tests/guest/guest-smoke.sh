#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC2154
# Inside the guest: ashlard itself on the kernel that it ships for, with its state on a virtio disk,
# used over the loopback by libiscsi's and QEMU's tools; stopped, started, killed, started.
# ASHLAR_engines: a comma list of the I/O engines to run, each on a fresh catalog and pool.
set -eu

iqn=iqn.2026-01.test.ashlar:smoke
port=3260
top=/srv/ashlar
log=/tmp/ashlard.log

say() { echo "ASHLAR-GUEST: $*"; }

fail() {
    say "FAIL: $engine: $*"
    echo "--- the daemon's last lines ---"
    tail -n 20 $log
    exit 1
}

ctl() { timeout 60 ashlarctl --socket "$dir/api.sock" "$@"; }

# As a user without rights, as the package runs it.
start() {
    su ashlar -s /bin/sh -c "exec ashlard --state-dir $dir/state --portal 127.0.0.1:$port \
        --api-socket $dir/api.sock --io-engine $engine --reactors 2" >>$log 2>&1 &
    daemon=$!
    tries=0
    until ctl pool list >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || fail "the daemon does not answer"
        kill -0 $daemon 2>/dev/null || fail "the daemon ended by itself"
        sleep 0.3
    done
}

# stop SIGNAL WANTED-STATUS
stop() {
    rc=0
    kill "-$1" $daemon
    wait $daemon || rc=$?
    [ $rc = "$2" ] || fail "SIG$1: ended with $rc, not $2"
}

convert() {
    timeout 120 qemu-img convert -n -f raw --target-image-opts "$1" "$lun_opts" || fail "qemu-img convert"
}

compare() {
    timeout 120 qemu-img convert --image-opts -O raw "$lun_opts" /tmp/back.img || fail "qemu-img convert back"
    cmp "$1" /tmp/back.img || fail "$2: what was read differs from what was written"
    say "$engine: $2: equal"
}

smoke() {
    dir=$top/$engine
    mkdir -p "$dir/state"
    chown -R ashlar "$dir"
    : >$log
    start
    grep -q "msg=\"disk engine\".* engine=$engine" $log || fail "the log does not name the engine"
    # What 6.1 has, and what an older kernel would do without.
    [ "$engine" = threads ] || grep -q "mode=defer_taskrun" $log || fail "io_uring is not used as it should be"

    ctl pool create p --device "$dir/pool.img,size=256MiB" >/dev/null || fail "pool create"
    ctl volume create v --pool p --size 16MiB >/dev/null || fail "volume create"
    ctl host create h --initiator $iqn >/dev/null || fail "host create"
    ctl mapping create v h --lun 1 >/dev/null || fail "mapping create"

    timeout 30 iscsi-ls -i $iqn -s iscsi://127.0.0.1:$port >/tmp/ls || fail "iscsi-ls"
    grep -q '^Lun:1 ' /tmp/ls || fail "iscsi-ls shows no LUN 1: $(cat /tmp/ls)"
    name=$(sed -n 's/^Target:\([^ ]*\) .*/\1/p' /tmp/ls)
    url=iscsi://127.0.0.1:$port/$name/1
    lun_opts="driver=iscsi,transport=tcp,portal=127.0.0.1:$port,target=$name,lun=1,initiator-name=$iqn"
    timeout 30 iscsi-inq -i $iqn "$url" >/tmp/inq || fail "iscsi-inq"
    timeout 30 iscsi-inq -i $iqn -e 1 -c 0x83 "$url" >/tmp/inq83 || fail "iscsi-inq of page 83"
    say "$engine: $(sed -n 's/^Vendor: *//p' /tmp/inq) LUN 1 of $name"

    for round in first second; do
        dd if=/dev/urandom of=/tmp/$round.img bs=64k count=256 2>/dev/null
    done
    convert /tmp/first.img
    compare /tmp/first.img "written and read"
    stop TERM 0
    start
    compare /tmp/first.img "after a stop and a start"
    convert /tmp/second.img
    stop KILL 137
    start
    compare /tmp/second.img "after kill -9 and a start"
    timeout 60 iscsi-perf -i $iqn -b 8 -m 8 -r -t 3 "$url" >/tmp/perf 2>&1 || fail "iscsi-perf: $(tail -n 3 /tmp/perf)"
    stop TERM 0
    say "$engine: done"
}

engine=none
mkdir -p $top /etc
echo "root:x:0:0::/:/bin/sh" >/etc/passwd
echo "ashlar:x:990:990::/:/bin/sh" >>/etc/passwd
echo "ashlar:x:990:" >/etc/group
/usr/bin/mke2fs -q -F -t ext4 /dev/vda
mount -t ext4 /dev/vda $top
chmod 755 $top
say "kernel=$(uname -r)"
for engine in $(echo "$ASHLAR_engines" | tr ',' ' '); do
    smoke
done
umount $top
