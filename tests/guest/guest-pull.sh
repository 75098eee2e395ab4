#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC2034,SC2119,SC2154
# Inside the guest: ashlard on a pool of two virtio disks, of which one is pulled out of its slot under reads; what is
# on the other goes on, also over a restart; plugged in again all is there. Then its data moves to a third disk, and it
# is pulled for good.
set -eu

port=3260
dir=/srv/ashlar
log=/tmp/ashlard.log
what=pull
# shellcheck source=tests/guest/guest-ashlard.sh
. /guest-ashlard.sh

# pull DISK; plug DISK: what the kernel does when a card is taken out of its slot and put in again.
pull() {
    echo 1 >"$(readlink -f "/sys/block/$1/device")/../remove"
    [ ! -e "/sys/block/$1" ] || fail "$1 is still there"
}
plug() {
    echo 1 >/sys/bus/pci/rescan
    tries=0
    until [ -b "/dev/$1" ]; do
        tries=$((tries + 1))
        [ $tries -lt 50 ] || fail "$1 does not come back"
        sleep 0.2
    done
    chown ashlar "/dev/$1"
}

# shown pool|device NAME KEY: of what is shown of it.
shown() { ctl "$1" show "$2" | sed -n "s/^$3 *//p"; }

# add_volume N: written and flushed; on the disk in slot $placed.
add_volume() {
    one=$(shown device p/1 used)
    ctl volume create "v$1" --pool p --size 1MiB >/dev/null || fail "volume create"
    ctl mapping create "v$1" h --lun "$1" >/dev/null || fail "mapping create"
    [ -n "$name" ] || find_name
    dd if=/dev/urandom of="/tmp/v$1.img" bs=64k count=16 2>/dev/null
    write_lun "$1" "/tmp/v$1.img" || fail "writing v$1"
    placed=2
    [ "$(shown device p/1 used)" = "$one" ] || placed=1
}

same() {
    read_lun "$1" /tmp/back.img || fail "reading v$1, $2"
    cmp "/tmp/v$1.img" /tmp/back.img || fail "v$1 differs, $2"
}
gone() {
    ! read_lun "$1" /tmp/back.img 2>/dev/null || fail "v$1 is read without its disk, $2"
}
all_same() {
    for n in $(seq "$count"); do
        same "$n" "$1"
    done
    say "all $count volumes equal, $1"
}

mkdir -p /etc $dir
make_user
/usr/bin/mke2fs -q -F -t ext4 /dev/vda
mount -t ext4 /dev/vda $dir
mkdir $dir/state
chown -R ashlar $dir
chown ashlar /dev/vdb /dev/vdc /dev/vdd
: >$log
start
ctl pool create p --device /dev/vdb --device /dev/vdc >/dev/null || fail "pool create"
ctl host create h --initiator "$iqn" >/dev/null || fail "host create"
count=0 on1='' on2='' name=''
while [ -z "$on1" ] || [ -z "$on2" ]; do
    count=$((count + 1))
    [ $count -le 8 ] || fail "all of $count volumes are on one disk"
    add_volume $count
    if [ $placed = 1 ]; then on1=$count; else on2=$count; fi
done
say "v$on1 is on the first disk, v$on2 on the second"

timeout 60 iscsi-perf -i "$iqn" -b 8 -m 4 -t 30 "iscsi://127.0.0.1:$port/$name/$on2" >/tmp/perf 2>&1 &
perf=$!
sleep 2
pull vdc
kill $perf 2>/dev/null || true
wait $perf 2>/dev/null || true
gone "$on2" "pulled"
[ "$(shown device p/2 state)" = failed ] || fail "the disk is $(shown device p/2 state)"
[ "$(shown pool p state)" = degraded ] || fail "the pool is $(shown pool p state)"
same "$on1" "beside a disk that was pulled"
count=$((count + 1))
add_volume $count
[ $placed = 1 ] || fail "a new volume is on the disk that is not there"
same $count "made on the other disk"
dd if=/dev/urandom of="/tmp/v$on1.img" bs=64k count=16 2>/dev/null
write_lun "$on1" "/tmp/v$on1.img" || fail "v$on1 is not written beside a disk that was pulled"
say "pulled: the other disk serves"

stop TERM 0
start
[ "$(shown device p/2 state)" = missing ] || fail "after a start the disk is $(shown device p/2 state)"
shown device p/2 reason | grep -q /dev/vdc || fail "the reason names no path: $(shown device p/2 reason)"
gone "$on2" "missing at the start"
same "$on1" "after a start without the other"
same $count "after a start without the other"
stop TERM 0
plug vdc
start
[ "$(shown pool p state)" = online ] || fail "with its disk the pool is $(shown pool p state)"
all_same "with the disk in its slot again"

ctl device add p --path /dev/vdd >/dev/null || fail "device add"
ctl device evacuate p/2 >/dev/null || fail "device evacuate"
ctl device remove p/2 >/dev/null || fail "device remove"
pull vdc
all_same "with the second disk emptied and gone"
ctl pool check p >/tmp/check || fail "pool check"
grep -q '^clean *yes' /tmp/check || fail "the pool is not clean: $(cat /tmp/check)"
stop TERM 0
start
all_same "after another start"
stop TERM 0
umount $dir
