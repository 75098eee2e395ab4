# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC2154
# Inside the guest, for guest-initiator.sh: sg3_utils have one disk copied to another and parts of it to elsewhere, with
# each use of list identifiers, the command on either disk; the kernel reads what they left.

# on PROGRAM ARGUMENT...: it exits 0; what it prints is in /tmp/sg.
on() {
    rc=0
    "$@" >/tmp/sg 2>&1 || rc=$?
    [ $rc = 0 ] || { cat /tmp/sg; fail "$* exits $rc"; }
}

# same FROM AT TO AT BLOCKS: of 512 bytes, as the disks have them now.
same() {
    echo 3 >/proc/sys/vm/drop_caches
    /usr/bin/cmp -n $(($5 * 512)) -i $(($2 * 512)):$(($4 * 512)) "$1" "$3" ||
        fail "$3 from block $4 on is not $1 from block $2 on"
}

task_xcopy() {
    discover "$ASHLAR_portal"
    with "$ASHLAR_portal" "node.conn[0].timeo.noop_out_interval" 0 # a busy machine is no dead target
    login "$ASHLAR_portal"
    until_true 30 "two disks" disk_count_is 2
    one=/dev/$(disks | sort | head -n 1)
    two=/dev/$(disks | sort | tail -n 1)
    # By these sg_xcopy finds its disks; here no udevd makes them.
    mkdir -p /dev/block
    for disk in "$one" "$two"; do
        ln -sf "$disk" "/dev/block/$(cat "/sys/class/block/${disk#/dev/}/dev")"
    done
    dd if=/dev/urandom of="$one" bs=64k count=128 oflag=direct 2>/dev/null
    dd if=/dev/urandom of="$two" bs=64k count=256 oflag=direct 2>/dev/null
    for page in tpc 0x8f; do
        on sg_vpd --page=$page "$one"
    done
    for word in 'EXTENDED COPY\(LID1\)|83' 'block' 'Maximum segment descriptor count: 256'; do
        grep -qiE "$word" /tmp/sg || { cat /tmp/sg; fail "VPD 8Fh does not tell $word"; }
    done
    on sg_copy_results --params "$one"
    grep -qE 'Maximum target descriptor count: 64' /tmp/sg || { cat /tmp/sg; fail "no limits are told"; }
    on sg_inq "$one"
    grep -q '3PC=1' /tmp/sg || fail "INQUIRY has no 3PC"

    on sg_xcopy if="$one" of="$two" bs=512 count=16384 --on_src
    same "$one" 0 "$two" 0 16384
    on sg_xcopy if="$one" of="$two" bs=512 skip=3 seek=16391 count=4097 bpt=1000 --on_dst
    same "$one" 3 "$two" 16391 4097
    on sg_xcopy if="$two" of="$two" bs=512 skip=16391 seek=24000 count=512 id_usage=discard
    same "$two" 16391 "$two" 24000 512
    on sg_xcopy if="$two" of="$one" bs=512 skip=128 seek=8192 count=1024 id_usage=disable list_id=0 --on_dst
    same "$two" 128 "$one" 8192 1024
    say "copied=22017"

    # Kept under its identifier until it is told.
    on sg_xcopy if="$one" of="$two" bs=512 count=8 bpt=8 id_usage=hold list_id=66 --on_src
    on sg_copy_results --status --list_id=66 "$one"
    grep -qi 'without errors' /tmp/sg || { cat /tmp/sg; fail "the status is told otherwise"; }
    ! sg_copy_results --status --list_id=66 "$one" >/tmp/sg 2>&1 || fail "the status is told twice"
    if sg_xcopy if="$one" of="$two" bs=512 seek=$(($(cat "/sys/class/block/${two#/dev/}/size") - 4)) count=8 bpt=8 \
        id_usage=hold list_id=67 --on_dst >/tmp/sg 2>&1; then
        fail "a copy beyond the end is good"
    fi
    on sg_copy_results --failed --list_id=67 "$two"
    grep -qi 'copy aborted' /tmp/sg || { cat /tmp/sg; fail "the failure has no sense"; }
    logout "$ASHLAR_portal"
}
