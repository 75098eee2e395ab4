#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a rollback is refused while a session sees the volume and says so; with a fence it is done
# beside that session; the volume then holds what the snapshot does and has its size, what it held
# before is a snapshot; all of that over a restart too.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/lun.sh"
. "$(dirname "$0")/../crash/agree.sh"
requires qemu-io iscsi-ls curl jq
requires_ashlar

rig_init
rig_start
ctl volume create v --pool p --size 32MiB
map v 1
io 1 'write -P 0xa1 0 2M' 'flush'
ctl snapshot create v/old
ctl volume change v --size 64MiB
io 1 'write -P 0xb1 1M 2M' 'write -P 0xb2 48M 64k' 'flush'

# A session that stays until its input ends.
mkfifo "$RIG_DIR/hold"
"$(rig_bin ashlar-idle)" 1 "$RIG_IQN" "$(rig_url 1)" <"$RIG_DIR/hold" >"$RIG_DIR/idle.out" 2>&1 &
exec 9>"$RIG_DIR/hold"
for _ in $(seq 200); do
    grep -q ready "$RIG_DIR/idle.out" && break
    sleep 0.05
done
grep -q ready "$RIG_DIR/idle.out" || fail "no session: $(cat "$RIG_DIR/idle.out")"

refused '--fence: .*sessions see volume v' volume rollback v old
[ "$(of /v1/volumes/v .snapshot_count)" = 1 ] || fail "a refused rollback kept something"
refused 'has no snapshot none' volume rollback v none --fence
refused '--keep-name old: .*already' volume rollback v old --keep-name old --fence
ctl volume change v --protected
refused 'v is protected' volume rollback v old --fence
ctl volume change v --protected=false
ctl volume rollback v old --keep-name new --fence
[ "$(of /v1/sessions '[.items[] | select(.host == "h1")] | length')" -ge 1 ] || fail "the fence ended the session"
exec 9>&-
map v/new 2

is_rolled_back() {
    [ "$(of /v1/volumes/v .size)" = 33554432 ] || fail "the size is not the snapshot's"
    [ "$(of /v1/snapshots/v/new .size)" = 67108864 ] || fail "what is kept has another size"
    io 1 'read -P 0xa1 0 2M' 'read -P 0 2M 30M'
    io_ro 2 'read -P 0xa1 0 1M' 'read -P 0xb1 1M 2M' 'read -P 0 3M 45M' 'read -P 0xb2 48M 64k'
}
is_rolled_back
restart
is_rolled_back

# And forth again.
unmap v
ctl volume rollback v/new
of '/v1/snapshots?volume=v' '.items[].name' | grep -q '^rollback-20' || fail "what it held is not kept"
map v 1
io 1 'read -P 0xa1 0 1M' 'read -P 0xb1 1M 2M' 'read -P 0xb2 48M 64k'
restart
io 1 'read -P 0xa1 0 1M' 'read -P 0xb1 1M 2M' 'read -P 0xb2 48M 64k'
unmap v
unmap v/new
ctl volume delete v --purge
used_becomes 0
pool_agrees "after all is deleted"
