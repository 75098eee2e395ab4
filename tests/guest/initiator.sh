# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The Linux kernel's initiator in a guest: Debian's generic kernel, open-iscsi, multipath-tools and fio,
# two network cards, and words both ways while it runs. Source it after tests/lib/rig.sh.
# What the guest does is guest-initiator.sh. Each card is a network of its own, whose .2 is this host's
# loopback, so the daemon advertises those addresses: RIG_FLAGS+=("${INITIATOR_FLAGS[@]}").

# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
GUEST_CACHE=${GUEST_CACHE:-$RIG_ROOT/var/cache}
guest_flavour generic
INITIATOR_NETS=(10.0.2 10.0.3)
# shellcheck disable=SC2034 # for the tests
INITIATOR_FLAGS=(--advertise "${INITIATOR_NETS[0]}.2" --advertise "${INITIATOR_NETS[1]}.2")
INITIATOR_RULES="55-dm 56-dm-mpath 60-block 60-multipath 60-persistent-storage 60-persistent-storage-dm
    95-dm-notify"

# Of this machine, which the guest is given.
INITIATOR_PROGRAMS="fio cmp mke2fs resize2fs fstrim blkdiscard sg_inq sg_vpd sg_modes sg_logs sg_readcap sg_luns
    sg_opcodes sg_get_lba_status sg_unmap sg_write_same sg_verify sg_sync sg_start sg_turs sg_requests sg_raw"

initiator_requires() {
    # shellcheck disable=SC2086 # a list of words
    requires qemu-system-x86_64 busybox cpio jq curl iscsi-ls $INITIATOR_PROGRAMS
    requires_ashlar
}

# Prints the initramfs; it is made again when a script or the packages are newer.
initiator_image() {
    local image=$GUEST_CACHE/initiator.cpio.gz tree=$RIG_DIR/tree
    guest_kernel >/dev/null && guest_initiator_packages >/dev/null || return 1
    guest_fresh "$image" || {
        initiator_tree "$tree" && guest_initramfs "$image" "$GUEST_DIR/guest-initiator.sh" "$tree"
    } >&2 || return 1
    echo "$image"
}

# The programs of the unpacked packages at their own places, and what they load.
initiator_tree() {
    local tree=$1 GUEST_UNPACKED rule file
    GUEST_UNPACKED=$(guest_initiator_packages)/tree
    local -x LD_LIBRARY_PATH=$GUEST_UNPACKED/lib:$GUEST_UNPACKED/usr/lib/x86_64-linux-gnu:$GUEST_UNPACKED/lib/x86_64-linux-gnu
    for file in /sbin/{iscsid,iscsiadm,multipathd,dmsetup} /bin/udevadm /lib/udev/scsi_id \
        /lib/multipath/lib{checktur,prioalua,prioconst,priosysfs}.so; do
        initiator_add "$tree" "$file" || return 1
    done
    ln -s udevadm "$tree/bin/systemd-udevd"
    for rule in $INITIATOR_RULES; do
        initiator_keep "$tree" "/lib/udev/rules.d/$rule.rules" || return 1
    done
    for file in thin sg3; do
        install -m 644 "$GUEST_DIR/guest-$file.sh" "$tree/" || return 1
    done
    # shellcheck disable=SC2086 # a list of words
    initiator_keep "$tree" /etc/iscsi/iscsid.conf && guest_add "$tree" $INITIATOR_PROGRAMS
}

initiator_keep() {
    install -D -m 755 "$GUEST_UNPACKED$2" "$1$2"
}

initiator_add() {
    initiator_keep "$1" "$2" && guest_add_needed "$1" "$GUEST_UNPACKED$2"
}

# initiator_boot TASK SECONDS [PORT2]: starts the guest on a task of guest-initiator.sh. The second card's
# portal is on PORT2. What follows must end within SECONDS.
initiator_boot() {
    local image net i=0 arguments=()
    image=$(initiator_image) || fail "no initramfs for the guest"
    INITIATOR_CONSOLE=$RIG_DIR/initiator.console
    : >"$INITIATOR_CONSOLE"
    for net in "${INITIATOR_NETS[@]}"; do
        arguments+=(-netdev "user,id=net$i,net=$net.0/24,dhcpstart=$net.15"
            -device "virtio-net-pci,netdev=net$i,id=nic$i,romfile=")
        i=$((i + 1))
    done
    for i in tell monitor; do
        mkfifo "$RIG_DIR/$i.in" "$RIG_DIR/$i.out"
        arguments+=(-chardev "pipe,id=$i,path=$RIG_DIR/$i")
    done
    arguments+=(-device "isa-serial,chardev=tell" -mon "chardev=monitor" -pidfile "$RIG_DIR/qemu.pid")
    GUEST_MEM=768 guest_boot "$INITIATOR_CONSOLE" "$image" "$2" \
        "ashlar.task=$1 ashlar.name=$RIG_IQN ashlar.target=$RIG_NAME
        ashlar.portal=${INITIATOR_NETS[0]}.2:$RIG_PORT ashlar.portal2=${INITIATOR_NETS[1]}.2:${3:-$RIG_PORT}" \
        "${arguments[@]}" &
    INITIATOR_PID=$!
    cleanup_fn initiator_kill
}

initiator_kill() {
    [ ! -s "$RIG_DIR/qemu.pid" ] || kill -KILL "$(cat "$RIG_DIR/qemu.pid")"
}

# initiator_expect LINE: waits until the guest has said it.
initiator_expect() {
    until tr -d '\r' <"$INITIATOR_CONSOLE" | grep -qx "ASHLAR-GUEST: $1"; do
        initiator_alive "it was to say \"$1\""
        sleep 0.2
    done
}

initiator_alive() {
    if grep -q "^$GUEST_FAIL" "$INITIATOR_CONSOLE" || ! kill -0 "$INITIATOR_PID" 2>/dev/null; then
        guest_explain "$INITIATOR_CONSOLE" "$1"
        fail "the guest: $1"
    fi
}

# initiator_tell WORD: guest-initiator.sh waits for it. Opened both ways, or a dead guest would hold us.
initiator_tell() {
    echo "$1" 1<>"$RIG_DIR/tell.in"
}

# initiator_monitor COMMAND: to QEMU's monitor.
initiator_monitor() {
    echo "$1" 1<>"$RIG_DIR/monitor.in"
}

# Waits for the guest's end and demands that it passed.
initiator_end() {
    wait "$INITIATOR_PID" || fail "the guest did not pass"
    rm -f "$RIG_DIR/qemu.pid"
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
