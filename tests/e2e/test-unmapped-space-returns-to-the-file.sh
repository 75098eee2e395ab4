#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: what an initiator unmaps, and what a deleted volume held, is a hole in the pool's file again: the
# blocks that the file takes shrink by it, and what was not unmapped stays.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires qemu-io iscsi-ls curl
requires_ashlar

rig_init
truncate -s 1M "$RIG_DIR/probe"
fallocate -p -o 0 -l 1M "$RIG_DIR/probe" 2>/dev/null || {
    echo "SKIP: this file system makes no holes"
    exit 77
}
rig_start
rig_volume a 512MiB 1
LUN="driver=raw,discard=unmap,file.driver=iscsi,file.transport=tcp,file.portal=127.0.0.1:$RIG_PORT"
LUN+=",file.target=$RIG_NAME,file.lun=1,file.initiator-name=$RIG_IQN"

# qemu-io exits 0 when a pattern differs, hence the search.
io() {
    local args=() step
    for step in "$@"; do
        args+=(-c "$step")
    done
    timeout 60 qemu-io --image-opts "$LUN" "${args[@]}" >"$RIG_DIR/out" 2>&1 ||
        echo "error: qemu-io ended with $?" >>"$RIG_DIR/out"
    if grep -qiE 'fail|error|differ' "$RIG_DIR/out"; then
        cat "$RIG_DIR/out"
        fail "qemu-io $*"
    fi
}

used_mib() {
    echo $(($(stat -c %b "$RIG_DIR/pool.img") / 2048))
}

# await_used MIB: until the file takes at most so much. Rounds come every few seconds.
await_used() {
    for _ in $(seq 600); do
        [ "$(used_mib)" -gt "$1" ] || return 0
        sleep 0.1
    done
    fail "the file takes $(used_mib) MiB, not $1"
}

before=$(used_mib)
io 'write -P 0xa1 0 256M' 'flush'
full=$(used_mib)
[ "$full" -ge $((before + 256)) ] || fail "256 MiB written, the file grew from $before to $full MiB"

io 'discard 64M 128M' 'flush'
await_used $((before + 130))
[ "$(used_mib)" -ge $((before + 128)) ] || fail "more went than was unmapped: $(used_mib) MiB"
io 'read -P 0xa1 0 64M' 'read -P 0 64M 128M' 'read -P 0xa1 192M 64M'

rig_ctl mapping delete a/h1 >/dev/null || fail "mapping delete a/h1"
rig_ctl mapping delete a/h2 >/dev/null || fail "mapping delete a/h2"
rig_api DELETE '/v1/volumes/a?purge=1' >/dev/null || fail "volume delete a"
await_used $((before + 1))

# The space serves again, and the daemon stops and starts with it.
rig_volume b 512MiB 1
io 'read -P 0 0 256M' 'write -P 0xb2 0 64M' 'flush'
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
rig_start
io 'read -P 0xb2 0 64M' 'read -P 0 64M 64M'
