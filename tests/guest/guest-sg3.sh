# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC2154
# Inside the guest, for guest-initiator.sh: sg3_utils, which others wrote from the specifications, through the
# kernel's initiator on an empty disk. What they exit with is what sg3_utils(8) has: 0, 5 illegal request, 9
# invalid opcode, 14 miscompare, 22 LBA out of range.

# sg EXIT PROGRAM ARGUMENT...: on the disk; what it prints is in /tmp/sg.
sg() {
    want=$1
    shift
    rc=0
    "$@" "$disk" >/tmp/sg 2>&1 || rc=$?
    [ $rc = "$want" ] || { cat /tmp/sg; fail "$* exits $rc, not $want"; }
}

# sg_says RE: so did the last one.
sg_says() { grep -qE "$1" /tmp/sg || { cat /tmp/sg; fail "not told: $1"; }; }

# sg_value RE: what it matched in parentheses.
sg_value() { sed -nE "s/.*$1.*/\1/p" /tmp/sg | head -n 1; }

hex_of() { od -An -v -tx1 | tr -s ' \n' ' '; }

sg3_inquiry() {
    sg 0 sg_inq
    sg_says 'Vendor identification: ASHLAR'
    sg 0 sg_inq -e
    listed=$(sed -nE 's/^ +0x([0-9a-f]+)\t.*/\1/p' /tmp/sg | tr '\n' ' ')
    sg 0 sg_vpd --raw --page=0
    pages=$(hex_of </tmp/sg)
    # Its header: 00 00 and two bytes of length.
    pages=$(echo "$pages" | cut -d' ' -f6- | sed 's/ $//')
    [ "0 ${pages#00 } " = "$listed" ] || fail "sg_inq lists $listed, sg_vpd $pages"
    for page in $pages; do
        sg 0 sg_vpd --raw --page=0x"$page"
        [ "$(hex_of </tmp/sg | cut -d' ' -f3)" = "$page" ] || fail "page $page calls itself otherwise"
        sg 0 sg_vpd --page=0x"$page"
        ! grep -qiE 'malformed|too short|response length' /tmp/sg || { cat /tmp/sg; fail "sg_vpd on page $page"; }
    done
    say "pages=$pages"
    sg 5 sg_vpd --force --page=0xc7
    sg 0 sg_vpd --page=sn
    say "serial=$(sg_value 'Unit serial number: ([^ ]+)')"
    sg 0 sg_vpd --page=di
    say "naa=$(sg_value '0x(6[0-9a-f]{31})')"
    sg 0 sg_vpd --page=lbpv
    for fact in 'LBPU\): 1' 'LBPWS\): 1' 'LBPWS10\): 1' 'LBPRZ\): 1' 'thin provisioned'; do
        sg_says "$fact"
    done
}

# mode_pages: the pages of the last answer.
mode_pages() { sed -nE '/^>> /{n;s/^ 00 +([0-9a-f]{2}) .*/\1/p}' /tmp/sg | tr '\n' ' '; }

sg3_modes() {
    sg 0 sg_modes -a
    modes=$(mode_pages)
    [ -n "$modes" ] || fail "no mode page"
    sg 0 sg_modes -a -6
    [ "$(mode_pages)" = "$modes" ] || fail "MODE SENSE(6) has other pages than $modes"
    for page in $modes; do
        page=$((0x$page & 0x3f)) # without PS
        for control in 0 1 2; do
            sg 0 sg_modes -p $page -c $control
        done
    done
    say "modes=$modes"
}

sg3_capacity() {
    sg 0 sg_readcap -l
    sg_says 'lbpme=1, lbprz=1'
    sg_says 'Logical block length=512 bytes'
    say "bytes=$(sg_value 'Device size: ([0-9]+) bytes')"
    sg 0 sg_readcap
    sg_says "Number of logical blocks=$blocks\$"
    sg 0 sg_luns -q
    [ "$(cat /tmp/sg)" = 0001000000000000 ] || fail "other LUNs: $(cat /tmp/sg)"
}

# cdb OPCODE ACTION BYTES: that, the rest zeros.
cdb() {
    echo "$1 $2"
    i=2
    while [ $i -lt "$3" ]; do
        echo 00
        i=$((i + 1))
    done
}

# raw CDB...: what it comes to is in rc.
raw() {
    rc=0
    sg_raw -C 1 -r 1m -o /dev/null "$disk" "$@" >/tmp/sg 2>&1 || rc=$?
}

# Each opcode that is listed is there; of those that are not, some are asked for.
sg3_opcodes() {
    sg 0 sg_opcodes -R -m
    # Opcode and service action, which may be blank; the mask is a line of its own.
    awk '/^ [0-9a-f][0-9a-f] / {print $1, substr($0, 9, 4) ~ /[0-9a-f]/ ? $2 : "00"}' /tmp/sg >/tmp/opcodes
    sed -nE 's/^ +cdb usage: (.*[^ ]) *$/\1/p' /tmp/sg >/tmp/masks
    timeouts=$(grep -cE '^ [0-9a-f]{2} .* [1-9][0-9]* +[A-Z]' /tmp/sg)
    count=$(wc -l </tmp/opcodes)
    [ "$(wc -l </tmp/masks) $timeouts" = "$count $count" ] || { cat /tmp/sg; fail "not $count masks and timeouts"; }
    sg 0 sg_opcodes
    [ "$(grep -cE '^ [0-9a-f]{2} ' /tmp/sg)" = "$count" ] || fail "without timeouts others are listed"
    paste -d' ' /tmp/opcodes /tmp/masks >/tmp/list
    while read -r opcode action mask; do
        [ "${mask%% *}" = "$opcode" ] || fail "the mask of $opcode is $mask"
        # shellcheck disable=SC2046 # a list of words
        raw $(cdb "$opcode" "$action" "$(echo "$mask" | wc -w)")
        [ $rc != 9 ] || { cat /tmp/sg; fail "$opcode $action is listed and refused as an invalid opcode"; }
    done </tmp/list
    say "opcodes=$count"
    for opcode in 01 04 07 0b 3b 4d 7e 83 84 9b c0; do
        ! grep -q "^$opcode " /tmp/list || continue
        # shellcheck disable=SC2046 # a list of words
        raw $(cdb $opcode 00 16)
        [ $rc = 9 ] || { cat /tmp/sg; fail "$opcode is not listed, and answered with $rc"; }
    done
    sg 0 sg_opcodes -o 0x42
    sg_says 'Command is supported'
    sg 0 sg_opcodes -o 0x9e,0x12
    sg_says 'Command is supported'
    sg 0 sg_opcodes -t
    sg_says 'Logical unit reset'
}

# LOG SENSE, if it is there at all.
sg3_logs() {
    if grep -q '^4d ' /tmp/list; then
        sg 0 sg_logs -a
    else
        sg 9 sg_logs -a
        say "sg_logs is refused"
    fi
}

# status LBA mapped|deallocated: of that block.
status() {
    sg 0 sg_get_lba_status -l "$1"
    sg_says "^\[1\] LBA: 0x0*$(printf %x "$1") .* $2"
}

sg3_blocks() {
    status 0 deallocated
    dd if=/dev/urandom of="$disk" bs=64k count=8 oflag=direct 2>/dev/null
    status 0 mapped
    status 1024 deallocated
    sg 0 sg_unmap -f -l 0 -n 128
    status 0 deallocated
    status 128 mapped
    sg 0 sg_write_same -U -l 128 -n 128
    sg 0 sg_write_same -S -U -N -l 256 -n 128
    sg 0 sg_write_same -S -N -l 384 -n 128
    for lba in 128 256 384; do
        status $lba deallocated
    done
    status 512 mapped
    dd if="$disk" bs=64k count=4 iflag=direct 2>/dev/null | /usr/bin/cmp -n 262144 - /dev/zero || fail "not zeros"
    sg 0 sg_write_same -ff -S -l 0 -n 128
    status 0 mapped
    sg 0 sg_verify -l 0 -c 1024
    sg 0 sg_verify -f -n 512 -l 5 -c 1
    sg 14 sg_verify -0 -q -n 512 -l 5 -c 1
    sg 0 sg_verify -S -0 -n 512 -l 128 -c 1
    sg 22 sg_verify -l "$blocks" -c 1
    sg 22 sg_unmap -f -l $((blocks - 1)) -n 2
}

sg3_unit() {
    sg 0 sg_sync
    sg 0 sg_sync --16
    sg 0 sg_start --stop
    sg 0 sg_start
    sg 0 sg_turs
    sg 0 sg_requests
    sg_says 'No Sense'
    sg 0 sg_requests --desc
    sg_says 'Descriptor format.*No Sense|Sense key: No Sense'
}

task_sg3() {
    discover "$ASHLAR_portal"
    with "$ASHLAR_portal" "node.conn[0].timeo.noop_out_interval" 0 # a busy machine is no dead target
    login "$ASHLAR_portal"
    until_true 30 "a disk" disk_count_is 1
    disk=/dev/$(disks)
    blocks=$(cat "/sys/class/block/$(disks)/size")
    sg3_inquiry
    sg3_modes
    sg3_capacity
    sg3_blocks
    sg3_unit
    sg3_opcodes
    sg3_logs
    logout "$ASHLAR_portal"
}
