# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC2034,SC2154
# What scripts share that run ashlard inside the guest: /guest-main.sh sources it. They set dir (of state and
# socket), log and port, and name what they are about in `what`.

iqn=iqn.2026-01.test.ashlar:smoke

say() { echo "ASHLAR-GUEST: $*"; }

fail() {
    say "FAIL: $what: $*"
    echo "--- the daemon's last lines ---"
    tail -n 20 "$log"
    exit 1
}

# The package's user, who has no rights.
make_user() {
    echo "root:x:0:0::/:/bin/sh" >/etc/passwd
    echo "ashlar:x:990:990::/:/bin/sh" >>/etc/passwd
    echo "ashlar:x:990:" >/etc/group
}

ctl() { timeout 60 ashlarctl --socket "$dir/api.sock" "$@"; }

# start [FLAG...]: as the package runs it; it answers.
start() {
    su ashlar -s /bin/sh -c "exec ashlard --state-dir $dir/state --portal 127.0.0.1:$port \
        --api-socket $dir/api.sock --reactors 2 $*" >>"$log" 2>&1 &
    daemon=$!
    tries=0
    until ctl pool list >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || fail "the daemon does not answer"
        kill -0 "$daemon" 2>/dev/null || fail "the daemon ended by itself"
        sleep 0.3
    done
}

# stop SIGNAL WANTED-STATUS
stop() {
    rc=0
    kill "-$1" "$daemon"
    wait "$daemon" || rc=$?
    [ $rc = "$2" ] || fail "SIG$1: ended with $rc, not $2"
}

# lun_opts N: what QEMU's tools call LUN N; the target's name is in `name`.
lun_opts() {
    echo "driver=iscsi,transport=tcp,portal=127.0.0.1:$port,target=$name,lun=$1,initiator-name=$iqn"
}

find_name() {
    timeout 30 iscsi-ls -i $iqn iscsi://127.0.0.1:"$port" >/tmp/ls || fail "iscsi-ls"
    name=$(sed -n 's/^Target:\([^ ]*\) .*/\1/p' /tmp/ls)
}

# write_lun N FILE; read_lun N FILE: 0 if that worked.
# Flushed: qemu-img's preset is a cache mode that flushes nothing.
write_lun() { timeout 120 qemu-img convert -n -t writeback -f raw --target-image-opts "$2" "$(lun_opts "$1")"; }
read_lun() { timeout 120 qemu-img convert --image-opts -O raw "$(lun_opts "$1")" "$2"; }
