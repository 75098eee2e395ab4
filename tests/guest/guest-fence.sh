# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC2154
# Inside the guest, for guest-initiator.sh: a node of a cluster that fences by persistent reservations, by the
# commands of Pacemaker's agent fence_scsi. Each node registers a key of its own with the disk, and whoever
# comes first reserves it for registrants alone; a node is fenced when another preempts its key.

# Of the node's name.
fence_key() {
    case $1 in
    one) echo 0x5a000001 ;;
    two) echo 0x5a000002 ;;
    esac
}

persist_out() { sg_persist --no-inquiry --out "$@" "$disk" >/tmp/persist 2>&1; }

keys() { sg_persist --no-inquiry --in --read-keys "$disk" 2>&1 | sed -nE 's/^ *(0x[0-9a-f]+)$/\1/p'; }

has_key() { keys | grep -qx "$(fence_key "$1")"; }

reserved() {
    sg_persist --no-inquiry --in --read-reservation "$disk" >/tmp/reservation 2>&1 || fail "$(cat /tmp/reservation)"
    grep -q 'type: Write Exclusive, registrants only' /tmp/reservation
}

# Unit attentions of what has happened before are taken first.
fence_join() {
    sg_turs "$disk" >/tmp/turs 2>&1 || true
    persist_out --register-ignore --param-sark="$(fence_key "$ASHLAR_node")" || fail "$(cat /tmp/persist)"
    reserved || persist_out --reserve --param-rk="$(fence_key "$ASHLAR_node")" --prout-type=5 ||
        fail "$(cat /tmp/persist)"
    reserved || fail "not reserved: $(cat /tmp/reservation)"
    has_key "$ASHLAR_node" || fail "its key is not there: $(keys)"
}

# fence NODE
fence() {
    persist_out --preempt-abort --param-rk="$(fence_key "$ASHLAR_node")" --param-sark="$(fence_key "$1")" \
        --prout-type=5 || fail "$(cat /tmp/persist)"
    ! has_key "$1" || fail "$1 still has its key: $(keys)"
}

# fill WHAT RW ARGUMENT...: into the first 32 MiB, which both nodes write to; the content is WHAT's.
fill() {
    what=$1 rw=$2
    shift 2
    fio --name=fill --filename="$disk" --thread --ioengine=libaio --direct=1 --rw="$rw" --bs=16k --iodepth=16 \
        --size=32m --verify=pattern --verify_pattern="\"$what\"" --do_verify=0 "$@" >/tmp/fio 2>&1
}

check() {
    fio --name=check --filename="$disk" --thread --ioengine=libaio --direct=1 --rw=read --bs=16k --iodepth=16 \
        --size=32m --verify=pattern --verify_pattern="\"$1\"" --verify_fatal=1 >/tmp/fio 2>&1 ||
        { tail -n 20 /tmp/fio; fail "others have written"; }
}

# One sector by a command of its own.
can_write() { dd if=/dev/zero of="$disk" bs=4096 seek=16384 count=1 oflag=direct 2>/dev/null; }

can_read() { dd if="$disk" of=/dev/null bs=4096 skip=16384 count=1 iflag=direct 2>/dev/null; }

# It writes until it cannot, as a node does that does not know yet that the others have given it up.
fence_victim() {
    ! fill victim randwrite --time_based=1 --runtime=120 || fail "it wrote for 120 s, and was not fenced"
    say "writes fail"
    while ! told again; do
        ! can_write || fail "a write of a fenced node"
        can_read || fail "a fenced node may read"
    done
    ! has_key "$ASHLAR_node" || fail "its key is there: $(keys)"
    say "fenced"
    fence_join
    can_write || fail "it has joined again, and cannot write"
    say "joined again"
    await end
}

fence_survivor() {
    await fence
    fence two
    fill survivor write || { tail -n 20 /tmp/fio; fail "the survivor cannot write"; }
    check survivor
    say "two is fenced"
    await check
    check survivor
    say "nothing came late"
    await end
    has_key two || fail "two has joined again, its key is not there: $(keys)"
    # Who leaves last takes the reservation along.
    persist_out --release --param-rk="$(fence_key one)" --prout-type=5 || fail "$(cat /tmp/persist)"
    ! reserved || fail "released, and reserved: $(cat /tmp/reservation)"
    persist_out --clear --param-rk="$(fence_key one)" || fail "$(cat /tmp/persist)"
    [ -z "$(keys)" ] || fail "cleared, and there are keys: $(keys)"
}

task_fence() {
    discover "$ASHLAR_portal"
    with "$ASHLAR_portal" "node.conn[0].timeo.noop_out_interval" 0 # a busy machine is no dead target
    login "$ASHLAR_portal"
    until_true 30 "a disk" disk_count_is 1
    disk=/dev/$(disks)
    fence_join
    say "joined"
    await go
    case $ASHLAR_node in
    one) fence_survivor ;;
    two) fence_victim ;;
    esac
    logout "$ASHLAR_portal"
}
