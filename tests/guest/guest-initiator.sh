#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC2154
# Inside the guest: the Linux kernel's initiator against a target on the host. Words of the kernel's command
# line: ASHLAR_task is one of the functions task_*, here and in guest-thin.sh, guest-sg3.sh, guest-xcopy.sh,
# guest-odx.sh, guest-fence.sh and guest-cluster.sh; ASHLAR_name the initiator's name, ASHLAR_target the target's; ASHLAR_portal and
# ASHLAR_portal2 are ADDRESS:PORT by the first and the second network card; ASHLAR_node is what the test calls this guest.
# The host says on the second serial port when a task may go on; this says on the console how far it is.
set -eu

say() { echo "ASHLAR-GUEST: $*"; }

fail() {
    dmesg | tail -n 10
    say "FAIL: $*"
    exit 1
}

# until_true SECONDS WHAT COMMAND...
until_true() {
    tries=$(($1 * 5))
    what=$2
    shift 2
    until "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || fail "not in time: $what"
        sleep 0.2
    done
}

listen() {
    stty -F /dev/ttyS1 raw -echo
    while read -r word; do
        : >"/tmp/told-$word"
    done </dev/ttyS1 &
}

told() { [ -e "/tmp/told-$1" ]; }

# await WORD: from the host; once for each time it is said.
await() {
    until_true 120 "the host says $1" told "$1"
    rm "/tmp/told-$1"
}

# ---- the initiator ----

network() {
    card=0
    for address in 10.0.2.15 10.0.3.15; do
        ip link set eth$card up
        ip addr add $address/24 dev eth$card
        card=$((card + 1))
    done
}

# setting FILE KEY VALUE
setting() {
    sed -i "s|^#* *$2 *=.*||" "$1"
    echo "$2 = $3" >>"$1"
}

# It asks who its peer is by name.
start_iscsid() {
    echo "root:x:0:0::/:/bin/sh" >/etc/passwd
    mkdir -p /run/lock
    echo "InitiatorName=$ASHLAR_name" >/etc/iscsi/initiatorname.iscsi
    setting /etc/iscsi/iscsid.conf node.conn[0].timeo.noop_out_interval 2
    setting /etc/iscsi/iscsid.conf node.conn[0].timeo.noop_out_timeout 3
    iscsid
}

# discover PORTAL: the host's address there is one that the daemon advertises.
discover() {
    iscsiadm -m discovery -t sendtargets -p "$1" >/tmp/discovered || fail "discovery at $1"
    grep -q "^$1,[0-9]* $ASHLAR_target\$" /tmp/discovered || fail "not advertised: $1: $(cat /tmp/discovered)"
}

# node PORTAL ARGUMENT...
node() {
    portal=$1
    shift
    iscsiadm -m node -T "$ASHLAR_target" -p "$portal" "$@"
}

# with PORTAL KEY VALUE: for the next login.
with() { node "$1" -o update -n "$2" -v "$3"; }

login() { node "$1" --login >/tmp/login 2>&1 || fail "login at $1: $(cat /tmp/login)"; }

logout() { node "$1" --logout >/tmp/logout 2>&1 || fail "logout at $1: $(cat /tmp/logout)"; }

# refused WHAT: a login to the first portal, which must fail.
refused() {
    ! node "$ASHLAR_portal" --login >/tmp/login 2>&1 || fail "$1 will do"
    say "refused: $1"
}

disks() { find /sys/class/block/ -name 'sd*' -exec basename {} \;; }

disk_count_is() { [ "$(disks | wc -l)" = "$1" ]; }

# ---- I/O ----

# Writes, each durable when it is answered, and reads them back. Each round has its own seed, so that old data
# does not pass, and its own place, which nothing was written to before.
round=0
verified_io() {
    round=$((round + 1))
    fio --name=verify --filename="$1" --thread --ioengine=libaio --direct=1 --sync=dsync --rw=randwrite \
        --bs=16k --iodepth=8 --offset=$((round * 8))m --size=8m --randseed=$round --verify=crc32c --verify_fatal=1 \
        --verify_state_save=0 >/tmp/fio 2>&1 || { rc=$?; tail -n 30 /tmp/fio; fail "fio ended with $rc"; }
    say "round=$round"
}

verified_io_until() {
    until told "$2"; do
        verified_io "$1"
    done
}

kernel_said() { dmesg | grep -c "$1" || true; }

no_error_of() {
    [ "$(kernel_said "I/O error, dev $1")" = 0 ] || fail "an I/O error reached $1"
}

# ---- tasks ----

task_login() {
    discover "$ASHLAR_portal"
    with "$ASHLAR_portal" node.session.auth.authmethod CHAP
    for pair in username=hv1 password=initiator-secret username_in=box password_in=target-secret-1; do
        with "$ASHLAR_portal" "node.session.auth.${pair%%=*}" "${pair#*=}"
    done
    for algorithm in MD5 SHA1 SHA256 SHA3-256; do
        with "$ASHLAR_portal" node.session.auth.chap_algs $algorithm
        login "$ASHLAR_portal"
        say "chap=$algorithm"
        await next
        logout "$ASHLAR_portal"
    done
    with "$ASHLAR_portal" node.session.auth.password initiator-secreT
    refused "a wrong secret"
    with "$ASHLAR_portal" node.session.auth.password initiator-secret
    with "$ASHLAR_portal" node.session.auth.password_in target-secret-2
    refused "a target that does not know its secret"
    with "$ASHLAR_portal" node.session.auth.password_in target-secret-1

    with "$ASHLAR_portal" "node.conn[0].iscsi.HeaderDigest" CRC32C
    with "$ASHLAR_portal" "node.conn[0].iscsi.DataDigest" CRC32C
    login "$ASHLAR_portal"
    until_true 30 "a disk" disk_count_is 1
    say "digests=on"
    await next
    verified_io "/dev/$(disks)"
    logout "$ASHLAR_portal"
    no_error_of sd
}

task_outlive() {
    discover "$ASHLAR_portal"
    login "$ASHLAR_portal"
    until_true 30 "a disk" disk_count_is 1
    verified_io_until "/dev/$(disks)" end
    say "cuts=$(kernel_said 'detected conn error')"
    no_error_of sd
    logout "$ASHLAR_portal"
}

# Three logins for tests/golden/record.sh: discovery, as installed, with digests.
task_record() {
    discover "$ASHLAR_portal"
    login "$ASHLAR_portal"
    logout "$ASHLAR_portal"
    with "$ASHLAR_portal" "node.conn[0].iscsi.HeaderDigest" CRC32C,None
    with "$ASHLAR_portal" "node.conn[0].iscsi.DataDigest" CRC32C,None
    login "$ASHLAR_portal"
    logout "$ASHLAR_portal"
}

# ---- two paths ----

# start_multipathd LINE...: what it is to do besides.
start_multipathd() {
    echo "defaults {
        $*
        find_multipaths no
        polling_interval 1
        max_polling_interval 2
        no_path_retry 60
        fast_io_fail_tmo 5
    }" >/etc/multipath.conf
    systemd-udevd --daemon
    multipathd
    until_true 30 "multipathd answers" multipathd show daemon >/dev/null
}

no_multipathd() { ! pidof multipathd >/dev/null; }

# It may end before it has answered, and that is an error of who asked.
stop_multipathd() {
    multipathd shutdown || true
    until_true 30 "multipathd ends" no_multipathd
}

paths_are() {
    [ "$(multipathd show paths raw format "%t %T" | grep -c "^active ready")" = "$1" ]
}

# Logs in to both portals: map is the disk that has both paths.
login_twice() {
    for portal in "$ASHLAR_portal" "$ASHLAR_portal2"; do
        discover "$portal"
        with "$portal" node.session.timeo.replacement_timeout 5
        login "$portal"
    done
    until_true 60 "two paths" paths_are 2
    map=/dev/mapper/$(multipathd show maps raw format %n)
    until_true 30 "$map" [ -b "$map" ]
    multipathd show topology
}

# All is well: the disk goes, then its paths.
logout_twice() {
    no_error_of dm-
    stop_multipathd
    dmsetup remove --retry "$(basename "$map")"
    logout "$ASHLAR_portal"
    logout "$ASHLAR_portal2"
}

task_paths() {
    start_multipathd path_grouping_policy multibus
    login_twice
    say "paths=2"
    verified_io_until "$map" cut
    rm /tmp/told-cut
    until_true 60 "a path fails" paths_are 1
    say "paths=1"
    verified_io_until "$map" mended
    until_true 90 "both paths are back" paths_are 2
    say "paths=2 again"
    verified_io_until "$map" end
    logout_twice
}

# prios_are PRIO...: of the two paths, in rising order.
prios_are() {
    [ "$(multipathd show paths raw format %p | sort -n | xargs)" = "$*" ]
}

# Two paths of different worth, as the target says; a group in standby is not lost, but not used.
task_alua() {
    start_multipathd "path_grouping_policy group_by_prio
        prio alua
        detect_prio yes
        failback immediate"
    login_twice
    until_true 30 "two priorities" prios_are 10 50
    say "prios=10 50"
    verified_io_until "$map" moved
    rm /tmp/told-moved
    until_true 60 "a path in standby" prios_are 1 10
    say "prios=1 10"
    verified_io_until "$map" back
    until_true 60 "the path is back" prios_are 10 50
    say "prios=10 50 again"
    verified_io_until "$map" end
    multipathd show topology
    logout_twice
}

# shellcheck source=tests/guest/guest-thin.sh
. /guest-thin.sh
# shellcheck source=tests/guest/guest-sg3.sh
. /guest-sg3.sh
# shellcheck source=tests/guest/guest-xcopy.sh
. /guest-xcopy.sh
# shellcheck source=tests/guest/guest-odx.sh
. /guest-odx.sh
# shellcheck source=tests/guest/guest-fence.sh
. /guest-fence.sh
# shellcheck source=tests/guest/guest-cluster.sh
. /guest-cluster.sh
listen
network
start_iscsid
say "kernel=$(uname -r)"
case $ASHLAR_task in
login | outlive | paths | alua | record | thin | sg3 | xcopy | odx | fence | cluster) "task_$ASHLAR_task" ;;
*) fail "no task $ASHLAR_task" ;;
esac
