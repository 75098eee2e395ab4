# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC2154
# Inside the guest, for guest-initiator.sh: a node of a cluster of two whose file system, OCFS2, lies on one LUN
# and is mounted by both at once. They agree by the link that is their third card.

cluster_network() {
    case $ASHLAR_node in
    one) number=1 ;;
    two) number=2 ;;
    esac
    ip link set eth2 up
    ip addr add "10.0.4.$number/24" dev eth2
    hostname "$ASHLAR_node"
}

cluster_start() {
    modprobe ocfs2_stack_o2cb
    modprobe ocfs2
    mount -t configfs config /sys/kernel/config
    echo o2cb >/sys/fs/ocfs2/cluster_stack
    mkdir -p /etc/ocfs2 /shared
    ln -s /proc/mounts /etc/mtab
    printf 'cluster:\n\tnode_count = 2\n\tname = ashlar\n\n' >/etc/ocfs2/cluster.conf
    for node in 1:one 2:two; do
        printf 'node:\n\tip_port = 7777\n\tip_address = 10.0.4.%s\n\tnumber = %s\n\tname = %s\n\tcluster = ashlar\n\n' \
            "${node%:*}" "${node%:*}" "${node#*:}" >>/etc/ocfs2/cluster.conf
    done
    o2cb register-cluster ashlar || fail "o2cb"
}

cluster_mount() {
    mount.ocfs2 "$disk" /shared >/tmp/mount 2>&1 || fail "mount: $(cat /tmp/mount)"
}

# A counter that both raise under one lock: none of their steps may be lost.
count_up() {
    n=0
    while [ $n -lt "$1" ]; do
        flock /shared/lock sh -c 'read -r i </shared/counter; echo $((i + 1)) >/shared/counter'
        n=$((n + 1))
    done
}

files() {
    n=0
    while [ $n -lt 20 ]; do
        dd if=/dev/urandom of=/shared/"$ASHLAR_node".$n bs=64k count=4 2>/dev/null
        (cd /shared && md5sum "$ASHLAR_node".$n >>sums."$ASHLAR_node")
        n=$((n + 1))
    done
    sync
}

# By this node, of what a node has written.
files_of() {
    (cd /shared && md5sum -c sums."$1" >/tmp/sums 2>&1) || fail "files of $1: $(tail -n 3 /tmp/sums)"
    [ "$(wc -l </tmp/sums)" = 20 ] || fail "not all files of $1"
}

task_cluster() {
    cluster_network
    discover "$ASHLAR_portal"
    with "$ASHLAR_portal" "node.conn[0].timeo.noop_out_interval" 0 # a busy machine is no dead target
    login "$ASHLAR_portal"
    until_true 30 "a disk" disk_count_is 1
    disk=/dev/$(disks)
    cluster_start
    if [ "$ASHLAR_node" = one ]; then
        mkfs.ocfs2 -q -N 2 --cluster-stack=o2cb --cluster-name=ashlar "$disk" >/tmp/mkfs 2>&1 ||
            fail "mkfs: $(cat /tmp/mkfs)"
        say "made"
    else
        say "there"
    fi
    await mount
    cluster_mount
    [ "$ASHLAR_node" = two ] || echo 0 >/shared/counter
    say "mounted"
    await write
    count_up 100 &
    files
    wait $!
    say "written"
    await read
    [ "$(cat /shared/counter)" = 200 ] || fail "of 200 steps $(cat /shared/counter)"
    files_of one
    files_of two
    say "read"
    await leave
    umount /shared || fail "umount"
    say "left"
    await end
    logout "$ASHLAR_portal"
    no_error_of sd
}
