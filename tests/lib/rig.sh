# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2119,SC2120
# The rig of every test that needs a running target: source it, call rig_init, then rig_start.
# It gives the test a scratch directory, a free port, a daemon in it, volumes mapped as LUNs and a
# cleanup that runs however the test ends. It knows nothing of what a test claims.
# RIG_TARGET chooses the daemon: `ashlar` (the default), or `tgt`, on which the test programs
# themselves are proved (a checker that only ever met one target proves little).
#
# Set by the caller, all optional: ASHLAR_BUILD (build tree), RIG_ENGINE (uring|threads),
# RIG_REACTORS, RIG_POOL_SIZE, RIG_FLAGS, RIG_POOL_FLAGS, RIG_VOLUME_FLAGS, RIG_MAPPING_FLAGS (arrays:
# more flags of ashlard, of the pool, of rig_volume's volumes and mappings), RIG_KEEP=1 (keep scratch).

# Where a user's shell does not look: mke2fs, tgtd.
PATH=$PATH:/usr/sbin:/sbin
RIG_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
RIG_TARGET=${RIG_TARGET:-ashlar}
RIG_ENGINE=${RIG_ENGINE:-uring}
RIG_REACTORS=${RIG_REACTORS:-2}
RIG_POOL_SIZE=${RIG_POOL_SIZE:-1GiB}
RIG_BSTYPE=${RIG_BSTYPE:-rdwr}
RIG_IQN=iqn.2026-01.test.ashlar:one
RIG_IQN2=iqn.2026-01.test.ashlar:two
RIG_DIR=
RIG_PID=
RIG_PORT=
RIG_NAME=
RIG_RC=
RIG_CLEANUPS=()
RIG_LOAD_FLAGS=() # what ashlar-load must put up with
[ "$RIG_TARGET" != tgt ] || RIG_LOAD_FLAGS=(--residuals-ok)
[ -n "${RIG_FLAGS+set}" ] || RIG_FLAGS=()
[ -n "${RIG_POOL_FLAGS+set}" ] || RIG_POOL_FLAGS=()
[ -n "${RIG_VOLUME_FLAGS+set}" ] || RIG_VOLUME_FLAGS=()
[ -n "${RIG_MAPPING_FLAGS+set}" ] || RIG_MAPPING_FLAGS=()

fail() {
    echo "FAIL: $*" >&2
    [ -z "$RIG_DIR" ] || rig_tail >&2
    exit 1
}

# Exit 77 is ctest's "skipped".
requires() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || {
            echo "SKIP: $tool is not installed"
            exit 77
        }
    done
}

# For what a test proves of Ashlar alone.
requires_ashlar() {
    [ "$RIG_TARGET" = ashlar ] || {
        echo "SKIP: not a claim about $RIG_TARGET"
        exit 77
    }
}

# cleanup_fn COMMAND...: runs at the end, last one first, before the daemon is stopped.
cleanup_fn() {
    RIG_CLEANUPS=("$(printf '%q ' "$@")" ${RIG_CLEANUPS[@]+"${RIG_CLEANUPS[@]}"})
}

rig_cleanup() {
    local rc=$? fn
    trap - EXIT INT TERM
    for fn in ${RIG_CLEANUPS[@]+"${RIG_CLEANUPS[@]}"}; do
        eval "$fn" || true
    done
    rig_kill
    if [ -n "$RIG_DIR" ] && ! rig_log_clean && [ "$rc" -eq 0 ]; then
        rc=1
    fi
    if [ -n "$RIG_DIR" ] && [ "${RIG_KEEP:-0}" != 1 ]; then
        rm -rf "$RIG_DIR"
    fi
    exit "$rc"
}

rig_init() {
    RIG_DIR=$(mktemp -d "${TMPDIR:-/tmp}/ashlar-rig.XXXXXX")
    trap rig_cleanup EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    : >"$RIG_DIR/daemon.log"
    : >"$RIG_DIR/luns"
    export TGT_IPC_SOCKET=$RIG_DIR/tgt # in place of one that only root may make
    [ "$RIG_TARGET" = ashlar ] || return 0
    RIG_ASHLARD=$(rig_bin ashlard) || exit 1
    RIG_ASHLARCTL=$(rig_bin ashlarctl) || exit 1
}

rig_tail() {
    echo "--- the daemon's last lines ---"
    tail -n "${1:-15}" "$RIG_DIR/daemon.log"
}

# A sanitizer's word in the log is a failure, whatever the test itself saw.
rig_log_clean() {
    if grep -qE 'ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:|Assertion .* failed' \
        "$RIG_DIR/daemon.log"; then
        echo "FAIL: the daemon's log has a sanitizer report or a failed assertion:" >&2
        grep -nE -A25 'Sanitizer|runtime error:|Assertion' "$RIG_DIR/daemon.log" | head -60 >&2
        return 1
    fi
}

# rig_bin NAME: a program of the build tree, wherever its folder put it.
rig_bin() {
    local dir
    for dir in . target web web/cli tests/protocol tests/crash tests/bench; do
        if [ -x "$ASHLAR_BUILD/$dir/$1" ] && [ ! -d "$ASHLAR_BUILD/$dir/$1" ]; then
            echo "$ASHLAR_BUILD/$dir/$1"
            return 0
        fi
    done
    echo "no $1 in ${ASHLAR_BUILD:-(ASHLAR_BUILD is not set)}: build it first" >&2
    return 1
}

rig_find_build() {
    local dir
    [ -z "${ASHLAR_BUILD:-}" ] || return 0
    for dir in release dev asan; do
        ASHLAR_BUILD=$RIG_ROOT/build/$dir
        [ ! -d "$ASHLAR_BUILD" ] || return 0
    done
}
rig_find_build

# Below the range that the kernel hands out by itself, so that only another rig can race us;
# rig_start tries again when one did.
rig_free_port() {
    local port
    for _ in $(seq 100); do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return 0
        fi
    done
    return 1
}

rig_port_open() {
    (exec 3<>"/dev/tcp/127.0.0.1/$RIG_PORT") 2>/dev/null
}

rig_alive() {
    [ -n "$RIG_PID" ] && kill -0 "$RIG_PID" 2>/dev/null
}

# --- the daemon: one pair of functions for each target ---

# RIG_COMMAND: the daemon as rig_start runs it, for a test that starts it itself.
rig_ashlar_command() {
    RIG_COMMAND=("$RIG_ASHLARD" --state-dir "$RIG_DIR/state" --portal "127.0.0.1:$RIG_PORT"
        --api-socket "$RIG_DIR/api.sock" --reactors "$RIG_REACTORS" --io-engine "$RIG_ENGINE"
        --trash-retention 0 ${RIG_FLAGS[@]+"${RIG_FLAGS[@]}"})
}

rig_ashlar_spawn() {
    rig_ashlar_command
    "${RIG_COMMAND[@]}" >>"$RIG_DIR/daemon.log" 2>&1 &
    RIG_PID=$!
}

rig_ashlar_ready() {
    rig_port_open && curl -sf -o /dev/null -m 5 --unix-socket "$RIG_DIR/api.sock" \
        http://localhost/readyz
}

rig_tgt_spawn() {
    tgtd -f -C "$RIG_PORT" --iscsi "portal=127.0.0.1:$RIG_PORT" >>"$RIG_DIR/daemon.log" 2>&1 &
    RIG_PID=$!
}

rig_tgtadm() {
    timeout 10 tgtadm -C "$RIG_PORT" --lld iscsi "$@"
}

rig_tgt_ready() {
    local lun file
    rig_port_open && rig_tgtadm --mode sys --op show >/dev/null 2>&1 || return 1
    rig_tgtadm --mode target --op new --tid 1 --targetname iqn.2026-01.test.ashlar:tgt || return 1
    rig_tgtadm --mode target --op bind --tid 1 --initiator-address ALL || return 1
    while read -r lun file; do
        rig_tgt_lun "$lun" "$file" || return 1
    done <"$RIG_DIR/luns"
}

rig_tgt_lun() {
    rig_tgtadm --mode logicalunit --op new --tid 1 --lun "$1" --backing-store "$2" \
        --bstype "$RIG_BSTYPE" &&
        rig_tgtadm --mode logicalunit --op update --tid 1 --lun "$1" --params thin_provisioning=1
}

# rig_try_start: one attempt; 0 when the daemon answers.
rig_try_start() {
    mkdir -p "$RIG_DIR/state"
    "rig_${RIG_TARGET}_spawn"
    for _ in $(seq 600); do
        rig_alive || return 1
        if "rig_${RIG_TARGET}_ready"; then
            return 0
        fi
        sleep 0.05
    done
    return 1
}

# Starts, or starts again on what the last one left behind. The port stays the same for one rig
# unless somebody else took it before the first start succeeded.
rig_start() {
    local attempt first=0
    [ -n "$RIG_PORT" ] || first=1
    for attempt in 1 2 3 4 5; do
        [ "$first" = 0 ] || RIG_PORT=$(rig_free_port)
        if rig_try_start; then
            [ "$first" = 0 ] || rig_first_start
            return 0
        fi
        rig_kill
        [ "$attempt" -lt 5 ] && sleep 0.2
    done
    fail "the daemon does not start"
}

rig_first_start() {
    [ "$RIG_TARGET" != ashlar ] || rig_ashlar_setup
    command -v iscsi-ls >/dev/null || return 0
    RIG_NAME=$(rig_target_name)
    [ -n "$RIG_NAME" ] || fail "discovery names no target"
}

# rig_stop [SIGNAL] [SECONDS]: asks it to end and waits; its exit status is in RIG_RC (999: it did
# not end in time and was killed).
rig_stop() {
    local signal=${1:-TERM} seconds=${2:-30}
    [ -n "$RIG_PID" ] || return 0
    kill "-$signal" "$RIG_PID" 2>/dev/null || true
    if [ "$RIG_TARGET" = tgt ] && [ "$signal" = TERM ]; then
        kill -KILL "$RIG_PID" 2>/dev/null || true # tgtd does not end by SIGTERM with sessions
    fi
    for _ in $(seq $((seconds * 50))); do
        if ! rig_running; then
            RIG_RC=0
            { wait "$RIG_PID" || RIG_RC=$?; } 2>/dev/null
            RIG_PID=
            return 0
        fi
        sleep 0.02
    done
    rig_kill
    RIG_RC=999
}

# Alive and not a zombie that waits for us.
rig_running() {
    local state
    state=$(awk '/^State:/ {print $2}' "/proc/$RIG_PID/status" 2>/dev/null) || return 1
    [ -n "$state" ] && [ "$state" != Z ] && [ "$state" != X ]
}

rig_kill() {
    [ -n "$RIG_PID" ] || return 0
    kill -KILL "$RIG_PID" 2>/dev/null || true
    { wait "$RIG_PID" || true; } 2>/dev/null
    RIG_PID=
}

# --- what the daemon serves ---

rig_ctl() {
    timeout 30 "$RIG_ASHLARCTL" --socket "$RIG_DIR/api.sock" "$@"
}

# rig_api METHOD PATH [JSON]: the body of the answer; fails on a status of 400 and above.
rig_api() {
    local method=$1 path=$2 body=()
    [ $# -lt 3 ] || body=(-H 'Content-Type: application/json' -d "$3")
    curl -sS --fail-with-body -m 30 --unix-socket "$RIG_DIR/api.sock" -X "$method" \
        ${body[@]+"${body[@]}"} "http://localhost$path"
}

# The report of a check of the pool, clean or not; fails if there is none.
rig_check() {
    local report rc=0
    report=$(rig_ctl pool check p --json) || rc=$?
    [ "$rc" -le 1 ] && [ -n "$report" ] && echo "$report"
}

rig_ashlar_setup() {
    rig_ctl pool create p --device "$RIG_DIR/pool.img,size=$RIG_POOL_SIZE" \
        ${RIG_POOL_FLAGS[@]+"${RIG_POOL_FLAGS[@]}"} >/dev/null || fail "pool create"
    rig_ctl host create h1 --initiator "$RIG_IQN" >/dev/null || fail "host create"
    rig_ctl host create h2 --initiator "$RIG_IQN2" >/dev/null || fail "host create"
}

# rig_volume NAME SIZE LUN: a thin volume that both initiators see as that LUN.
rig_volume() {
    local name=$1 size=$2 lun=$3 iec
    if [ "$RIG_TARGET" = tgt ]; then
        iec=${size%iB}
        truncate -s "$iec" "$RIG_DIR/$name.img"
        rig_tgt_lun "$lun" "$RIG_DIR/$name.img" || fail "tgtadm: lun $lun"
        echo "$lun $RIG_DIR/$name.img" >>"$RIG_DIR/luns"
        return
    fi
    rig_ctl volume create "$name" --pool p --size "$size" \
        ${RIG_VOLUME_FLAGS[@]+"${RIG_VOLUME_FLAGS[@]}"} >/dev/null || fail "volume create $name"
    rig_map "$name" h1 "$lun"
    rig_map "$name" h2 "$lun"
}

rig_map() {
    rig_ctl mapping create "$1" "$2" --lun "$3" \
        ${RIG_MAPPING_FLAGS[@]+"${RIG_MAPPING_FLAGS[@]}"} >/dev/null || fail "mapping create $1 $2"
}

rig_volume_delete() {
    local name=$1 lun=$2
    if [ "$RIG_TARGET" = tgt ]; then
        rig_tgtadm --mode logicalunit --op delete --tid 1 --lun "$lun"
        sed -i "/^$lun /d" "$RIG_DIR/luns"
        rm -f "$RIG_DIR/$name.img"
        return
    fi
    rig_ctl mapping delete "$name/h1" >/dev/null &&
        rig_ctl mapping delete "$name/h2" >/dev/null &&
        rig_ctl volume delete "$name" >/dev/null
}

rig_portal_url() {
    echo "iscsi://127.0.0.1:$RIG_PORT"
}

# The target's name, as discovery gives it.
rig_target_name() {
    timeout 20 iscsi-ls -i "$RIG_IQN" "$(rig_portal_url)" |
        sed -n 's/^Target:\([^ ]*\) .*/\1/p' | head -n 1
}

# rig_url LUN
rig_url() {
    echo "$(rig_portal_url)/$RIG_NAME/$1"
}
