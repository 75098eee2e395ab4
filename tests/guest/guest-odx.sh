# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC2154
# Inside the guest, for guest-initiator.sh: ddptctl, which shares nothing with ours, waits for a token and reads it and
# what is told of it; the kernel reads what was written by it. The lists are sent by sg_raw: those of ddpt 0.97 have
# their ranges a byte too early. `on` is guest-xcopy.sh's.

# fails_with WORDS PROGRAM ARGUMENT...: it fails, and says so.
fails_with() {
    words=$1
    shift
    ! "$@" >/tmp/sg 2>&1 || { cat /tmp/sg; fail "$* is good"; }
    grep -qi "$words" /tmp/sg || { cat /tmp/sg; fail "$* does not say '$words'"; }
}

# IMMED; 32 blocks from 32, then 32 from 0.
populate_list() {
    {
        printf '\000\056\001\000\000\000\000\000\000\000\000\000\000\000\000\040'
        printf '\000\000\000\000\000\000\000\040\000\000\000\040\000\000\000\000'
        printf '\000\000\000\000\000\000\000\000\000\000\000\040\000\000\000\000'
    } >/tmp/list
}

# write_token FLAGS LBA BLOCKS: its list, in octal; LBA of two bytes, BLOCKS of one.
write_token() {
    {
        printf '\002\046%b\000\000\000\000\000\000\000\000\000\000\000\000\000' "$1"
        cat /tmp/token
        printf '\000\000\000\000\000\000\000\020\000\000\000\000\000\000%b\000\000\000%b\000\000\000\000' "$2" "$3"
    } >/tmp/list
}

task_odx() {
    discover "$ASHLAR_portal"
    with "$ASHLAR_portal" "node.conn[0].timeo.noop_out_interval" 0 # a busy machine is no dead target
    login "$ASHLAR_portal"
    until_true 30 "two disks" disk_count_is 2
    one=/dev/$(disks | sort | head -n 1)
    two=/dev/$(disks | sort | tail -n 1)
    dd if=/dev/urandom of="$one" bs=64k count=256 oflag=direct 2>/dev/null
    dd if=/dev/urandom of="$two" bs=64k count=256 oflag=direct 2>/dev/null
    on sg_vpd --page=tpc "$one"
    for word in 'Maximum range descriptors: 64' 'Maximum inactivity timeout: 300' 'ROD token features' 'zero'; do
        grep -qi "$word" /tmp/sg || { cat /tmp/sg; fail "VPD 8Fh does not tell $word"; }
    done

    # Behind the answer, ranges in another order, what was there before.
    dd if="$one" of=/tmp/before bs=512 count=64 iflag=direct 2>/dev/null
    populate_list
    on sg_raw -s 48 -i /tmp/list "$one" 83 10 00 00 00 00 00 00 00 07 00 00 00 30 00 00
    on ddptctl --poll --rtf=/tmp/token --list_id=7 "$one"
    dd if=/dev/zero of="$one" bs=512 count=64 oflag=direct 2>/dev/null
    on ddptctl --info --rtf=/tmp/token
    for word in 'block size: 512' 'represented: 32768' 'Point in time copy - default'; do
        grep -qi "$word" /tmp/sg || { cat /tmp/sg; fail "the token is not read to have $word"; }
    done
    on ddptctl --all_toks "$one"
    grep -q 'headers returned: [1-9]' /tmp/sg || { cat /tmp/sg; fail "no token is reported"; }
    write_token '\000' '\003\350' '\100' # 64 blocks to 1000
    on sg_raw -s 552 -i /tmp/list "$two" 83 11 00 00 00 00 00 00 00 09 00 00 02 28 00 00
    dd if="$two" skip=1000 of=/tmp/after bs=512 count=64 iflag=direct 2>/dev/null
    { dd if=/tmp/before bs=512 skip=32 count=32 2>/dev/null; dd if=/tmp/before bs=512 count=32 2>/dev/null; } >/tmp/want
    /usr/bin/cmp /tmp/want /tmp/after || fail "the token shows other blocks"
    on ddptctl --receive --list_id=9 "$two"
    write_token '\002' '\007\320' '\010' # DEL_TKN
    on sg_raw -s 552 -i /tmp/list "$two" 83 11 00 00 00 00 00 00 00 09 00 00 02 28 00 00
    fails_with 'token deleted' sg_raw -s 552 -i /tmp/list "$two" 83 11 00 00 00 00 00 00 00 09 00 00 02 28 00 00
    say "copied=72"
    logout "$ASHLAR_portal"
}
