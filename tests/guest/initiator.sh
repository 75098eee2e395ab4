# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The Linux kernel's initiator in a guest: Debian's generic kernel, open-iscsi, multipath-tools and fio,
# two network cards, and words both ways while it runs. Source it after tests/lib/rig.sh.
# What the guest does is guest-initiator.sh. Each card is a network of its own, whose .2 is this host's
# loopback, so the daemon advertises those addresses: RIG_FLAGS+=("${INITIATOR_FLAGS[@]}").
# Several guests may run: initiator_on says which one is booted, told and waited for from then on.

# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
GUEST_CACHE=${GUEST_CACHE:-$RIG_ROOT/var/cache}
guest_flavour generic
INITIATOR_NETS=(10.0.2 10.0.3)
# shellcheck disable=SC2034 # for the tests
INITIATOR_FLAGS=(--advertise "${INITIATOR_NETS[0]}.2" --advertise "${INITIATOR_NETS[1]}.2")
INITIATOR_NODE=one
INITIATOR_LINK=() # QEMU's arguments for a third card: initiator_link
declare -A INITIATOR_PIDS
INITIATOR_RULES="55-dm 56-dm-mpath 60-block 60-multipath 60-persistent-storage 60-persistent-storage-dm
    95-dm-notify"

# Of this machine, which the guest is given.
INITIATOR_PROGRAMS="fio cmp mke2fs resize2fs fstrim blkdiscard flock sg_inq sg_vpd sg_modes sg_logs sg_readcap sg_luns
    sg_opcodes sg_persist sg_get_lba_status sg_unmap sg_write_same sg_verify sg_sync sg_start sg_turs sg_requests sg_raw
    sg_xcopy sg_copy_results"

INITIATOR_IMAGE=initiator # another name where a test adds programs

initiator_requires() {
    # shellcheck disable=SC2086 # a list of words
    requires qemu-system-x86_64 busybox cpio jq curl iscsi-ls $INITIATOR_PROGRAMS
    requires_ashlar
}

# Prints the initramfs; it is made again when a script or the packages are newer.
initiator_image() {
    local image=$GUEST_CACHE/$INITIATOR_IMAGE.cpio.gz tree=$RIG_DIR/tree
    { guest_kernel && guest_initiator_packages && guest_cluster_packages; } >/dev/null || return 1
    guest_fresh "$image" || {
        initiator_tree "$tree" && guest_initramfs "$image" "$GUEST_DIR/guest-initiator.sh" "$tree"
    } >&2 || return 1
    echo "$image"
}

# The programs of the unpacked packages at their own places, and what they load.
initiator_tree() {
    local tree=$1 GUEST_UNPACKED rule file
    GUEST_UNPACKED=$(guest_cluster_packages)/tree
    for file in /sbin/{mkfs.ocfs2,mount.ocfs2,ocfs2_hb_ctl,o2cb}; do
        initiator_add "$tree" "$file" || return 1
    done
    GUEST_UNPACKED=$(guest_initiator_packages)/tree
    for file in /sbin/{iscsid,iscsiadm,multipathd,dmsetup} /bin/udevadm /lib/udev/scsi_id \
        /lib/multipath/lib{checktur,prioalua,prioconst,priosysfs}.so; do
        initiator_add "$tree" "$file" || return 1
    done
    ln -s udevadm "$tree/bin/systemd-udevd"
    for rule in $INITIATOR_RULES; do
        initiator_keep "$tree" "/lib/udev/rules.d/$rule.rules" || return 1
    done
    for file in thin sg3 xcopy odx fence cluster; do
        install -m 644 "$GUEST_DIR/guest-$file.sh" "$tree/" || return 1
    done
    # shellcheck disable=SC2086 # a list of words
    initiator_keep "$tree" /etc/iscsi/iscsid.conf && guest_add "$tree" $INITIATOR_PROGRAMS
}

initiator_keep() {
    install -D -m 755 "$GUEST_UNPACKED$2" "$1$2"
}

initiator_add() {
    local -x LD_LIBRARY_PATH=$GUEST_UNPACKED/lib:$GUEST_UNPACKED/usr/lib/x86_64-linux-gnu:$GUEST_UNPACKED/lib/x86_64-linux-gnu
    initiator_keep "$1" "$2" && guest_add_needed "$1" "$GUEST_UNPACKED$2"
}

# initiator_on NODE
initiator_on() {
    INITIATOR_NODE=$1
    INITIATOR_CONSOLE=$(initiator_dir)/console
}

initiator_dir() {
    echo "$RIG_DIR/initiator-$INITIATOR_NODE"
}

# initiator_boot TASK SECONDS [PORT2 [NAME]]: starts the guest on a task of guest-initiator.sh. The second card's
# portal is on PORT2; NAME is the initiator's. What follows must end within SECONDS.
initiator_boot() {
    local image net dir i=0 arguments=()
    image=$(initiator_image) || fail "no initramfs for the guest"
    initiator_on "$INITIATOR_NODE"
    dir=$(initiator_dir)
    mkdir -p "$dir"
    : >"$INITIATOR_CONSOLE"
    for net in "${INITIATOR_NETS[@]}"; do
        arguments+=(-netdev "user,id=net$i,net=$net.0/24,dhcpstart=$net.15"
            -device "virtio-net-pci,netdev=net$i,id=nic$i,romfile=")
        i=$((i + 1))
    done
    for i in tell monitor; do
        mkfifo "$dir/$i.in" "$dir/$i.out"
        arguments+=(-chardev "pipe,id=$i,path=$dir/$i")
    done
    [ ${#INITIATOR_LINK[@]} = 0 ] || arguments+=("${INITIATOR_LINK[@]}")
    arguments+=(-device "isa-serial,chardev=tell" -mon "chardev=monitor" -pidfile "$dir/qemu.pid")
    GUEST_MEM=768 guest_boot "$INITIATOR_CONSOLE" "$image" "$2" \
        "ashlar.task=$1 ashlar.name=${4:-$RIG_IQN} ashlar.target=$RIG_NAME ashlar.node=$INITIATOR_NODE
        ashlar.portal=${INITIATOR_NETS[0]}.2:$RIG_PORT ashlar.portal2=${INITIATOR_NETS[1]}.2:${3:-$RIG_PORT}" \
        "${arguments[@]}" &
    INITIATOR_PIDS[$INITIATOR_NODE]=$!
    [ ${#INITIATOR_PIDS[@]} -gt 1 ] || cleanup_fn initiator_kill
}

# initiator_link NUMBER PORT PEER: the guests that are booted from now on have a third card, whose cable is between
# those two UDP ports of this host; NUMBER, from 1 to 9, makes its address.
initiator_link() {
    # shellcheck disable=SC2054 # QEMU's commas
    INITIATOR_LINK=(-netdev "socket,id=link,localaddr=127.0.0.1:$2,udp=127.0.0.1:$3"
        -device "virtio-net-pci,netdev=link,mac=52:54:00:5a:00:0$1,romfile=")
}

initiator_kill() {
    local pid
    for INITIATOR_NODE in "${!INITIATOR_PIDS[@]}"; do
        pid=$(cat "$(initiator_dir)/qemu.pid" 2>/dev/null) || continue
        kill -KILL "$pid" 2>/dev/null || true
    done
}

# initiator_expect LINE: waits until the guest has said it.
initiator_expect() {
    until tr -d '\r' <"$INITIATOR_CONSOLE" | grep -qx "ASHLAR-GUEST: $1"; do
        initiator_alive "it was to say \"$1\""
        sleep 0.2
    done
}

initiator_alive() {
    if grep -q "^$GUEST_FAIL" "$INITIATOR_CONSOLE" || ! kill -0 "${INITIATOR_PIDS[$INITIATOR_NODE]}" 2>/dev/null; then
        guest_explain "$INITIATOR_CONSOLE" "$1"
        fail "the guest: $1"
    fi
}

# initiator_tell WORD: guest-initiator.sh waits for it. Opened both ways, or a dead guest would hold us.
initiator_tell() {
    echo "$1" 1<>"$(initiator_dir)/tell.in"
}

# initiator_monitor COMMAND: to QEMU's monitor.
initiator_monitor() {
    echo "$1" 1<>"$(initiator_dir)/monitor.in"
}

# Waits for the guest's end and demands that it passed.
initiator_end() {
    wait "${INITIATOR_PIDS[$INITIATOR_NODE]}" || fail "the guest did not pass"
    rm -f "$(initiator_dir)/qemu.pid"
    tr -d '\r' <"$INITIATOR_CONSOLE" | grep '^ASHLAR-GUEST: '
}

# initiator_rounds N: waits until N more rounds of its verified I/O are through.
initiator_rounds() {
    local now
    now=$(guest_value "$INITIATOR_CONSOLE" round)
    initiator_expect "round=$((${now:-0} + $1))"
}

# initiator_writes BYTES: waits until that much more was written; more is under way then.
initiator_writes() {
    local written='[.items[].written] | add' from
    from=$(initiator_sessions "$written")
    until [ "$(initiator_sessions "$written")" -ge $((from + $1)) ]; do
        initiator_alive "it was to write"
        sleep 0.05
    done
}

# initiator_sessions FILTER: jq's answer about the list of sessions.
initiator_sessions() {
    rig_api GET /v1/sessions | jq -r "$1"
}
