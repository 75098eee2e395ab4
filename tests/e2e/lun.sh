# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What tests of data on LUNs share. Source it after tests/lib/rig.sh; the rig runs.

# lun N [OPTION]: as QEMU names it.
lun() {
    echo "driver=raw,file.driver=iscsi,file.transport=tcp,file.portal=127.0.0.1:$RIG_PORT,file.target=$RIG_NAME,file.lun=$1,file.initiator-name=$RIG_IQN${2:+,$2}"
}

# io_try N STEP...: 0 if qemu-io did every step and what it read is as it should be; -P reads back
# and compares, but qemu-io exits 0 even so.
io_try() {
    local args=() step n=$1
    shift
    for step in "$@"; do
        args+=(-c "$step")
    done
    timeout 60 qemu-io "${IO_FLAGS[@]}" --image-opts "$(lun "$n")" "${args[@]}" >"$RIG_DIR/io" 2>&1 &&
        ! grep -qiE 'fail|error|differ' "$RIG_DIR/io"
}
IO_FLAGS=()

io() {
    io_try "$@" || { cat "$RIG_DIR/io"; fail "qemu-io on LUN $*"; }
}

# The same of what can only be read.
io_ro() {
    local IO_FLAGS=(-r)
    io "$@"
}

# map NAME LUN, unmap NAME: NAME is VOLUME or VOLUME/SNAPSHOT.
map() {
    rig_ctl mapping create "$1" h1 --lun "$2" >/dev/null || fail "mapping create $1"
}
unmap() {
    rig_ctl mapping delete "$1/h1" >/dev/null || fail "mapping delete $1"
}

# ctl ARGS...: it works. refused RE ARGS...: the daemon refuses it and says so.
ctl() {
    rig_ctl "$@" >"$RIG_DIR/out" 2>"$RIG_DIR/err" || { cat "$RIG_DIR/err"; fail "ashlarctl $*"; }
}
refused() {
    local rc=0
    rig_ctl "${@:2}" >"$RIG_DIR/out" 2>"$RIG_DIR/err" || rc=$?
    [ $rc = 1 ] || fail "ashlarctl ${*:2} ends with $rc, not refused"
    grep -qE -- "$1" "$RIG_DIR/err" || { cat "$RIG_DIR/err"; fail "ashlarctl ${*:2}: it is not said that $1"; }
}

# of PATH JQ: of what the API answers.
of() {
    rig_api GET "$1" | jq -r "$2"
}

restart() {
    rig_stop
    [ "$RIG_RC" = 0 ] || fail "the daemon ends with $RIG_RC"
    rig_start
}

# used_becomes BYTES: the pool's used figure, once what is under way in the background has ended.
used_becomes() {
    local used
    for _ in $(seq 300); do
        used=$(of /v1/pools/p .used)
        [ "$used" != "$1" ] || return 0
        sleep 0.1
    done
    fail "the pool has $used bytes in use, not $1"
}
