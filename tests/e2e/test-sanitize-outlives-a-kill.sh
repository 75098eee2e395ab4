#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: once a SANITIZE is answered, what its volume held goes from the pool's file, whatever becomes of the
# daemon: it is killed right after the answer, and its next starts go on before they serve the volume. Another
# volume keeps what it has. While a snapshot shares the blocks, it is refused and the log names the snapshot.
set -euo pipefail
RIG_POOL_SIZE=384MiB
. "$(dirname "$0")/../lib/rig.sh"
requires qemu-io jq
requires_ashlar

SECRET=ASHLARSECRET # what the file is searched for
SIZE_MIB=96
KILLS=3
TRIES=10 # where the work was over before each of those
rig_init
rig_start
rig_volume a 128MiB 1
rig_volume b 128MiB 2

io() {
    local lun=$1
    shift
    timeout 60 qemu-io --image-opts "driver=raw,file.driver=iscsi,file.transport=tcp,file.portal=127.0.0.1:$RIG_PORT,file.target=$RIG_NAME,file.lun=$lun,file.initiator-name=$RIG_IQN" \
        "$@" >"$RIG_DIR/out" 2>&1 || { cat "$RIG_DIR/out"; fail "qemu-io $*"; }
    ! grep -qiE 'fail|error|differ' "$RIG_DIR/out" || { cat "$RIG_DIR/out"; fail "qemu-io $*"; }
}

sanitize() {
    timeout 60 "$(rig_bin ashlar-sanitize)" "$RIG_IQN" "$(rig_url "$1")" "$2"
}

secrets() {
    tr -d '\0' <"$RIG_DIR/pool.img" | grep -a -c "$SECRET" || true
}

write_secrets() {
    (set +o pipefail; yes "$SECRET" | head -c "$((SIZE_MIB << 20))") >"$RIG_DIR/secrets"
    io 1 -c "write -s $RIG_DIR/secrets 0 ${SIZE_MIB}M" -c flush
    [ "$(secrets)" -gt 0 ] || fail "what was written is not found in the pool's file"
}

# await_ready LUN: until it serves again.
await_ready() {
    local state=
    for _ in $(seq 600); do
        state=$(sanitize "$1" state) || fail "no answer: $state"
        [ "$state" != ready ] || return 0
        case $state in
        sanitizing*) ;;
        *) fail "it is neither sanitized nor on its way: $state" ;;
        esac
        sleep 0.1
    done
    fail "it is not over after a minute: $state"
}

io 2 -c 'write -P 0xb2 0 8M' -c flush

# Refused, and nothing is lost.
write_secrets
rig_ctl snapshot create a/kept >/dev/null || fail "snapshot create"
[ "$(sanitize 1 erase)" = "5 2c00" ] || fail "a volume with a snapshot is sanitized"
grep -q 'snapshot=a/kept' "$RIG_DIR/daemon.log" || fail "the log does not name the snapshot"
io 1 -c 'read 0 4k'
rig_ctl snapshot delete a/kept >/dev/null || fail "snapshot delete"

midway=0 n=0 answer=
while [ "$n" -lt "$KILLS" ] || { [ "$midway" = 0 ] && [ "$n" -lt "$TRIES" ]; }; do
    n=$((n + 1))
    kind=$([ $((n % 2)) = 0 ] && echo overwrite || echo erase)
    write_secrets
    exec {begun}< <(sanitize 1 "start-$kind")
    read -r answer <&"$begun" || true # not the end of that program, which takes its time
    rig_kill
    exec {begun}<&-
    [ "$answer" = good ] || fail "it does not begin: $kind: $answer"
    [ "$(secrets)" = 0 ] || midway=$((midway + 1))
    rig_start
    await_ready 1
    [ "$(secrets)" = 0 ] || fail "after $kind and a kill $(secrets) lines are left in the pool's file"
    if [ "$kind" = overwrite ]; then
        io 1 -c "read -P 0x53 0 ${SIZE_MIB}M"
    else
        io 1 -c "read -P 0 0 ${SIZE_MIB}M"
    fi
done
echo "midway: $midway of $n kills"
[ "$midway" -gt 0 ] || fail "no kill came before the end: this shows nothing"
io 2 -c 'read -P 0xb2 0 8M'

# With the daemon alive, waited for.
write_secrets
[ "$(sanitize 1 overwrite)" = good ] || fail "overwrite"
[ "$(secrets)" = 0 ] || fail "after an overwrite $(secrets) lines are left"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
