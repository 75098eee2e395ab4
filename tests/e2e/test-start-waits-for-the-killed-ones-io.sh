#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a daemon that starts while the kernel still holds its pool for the I/O of one that was killed
# (io_uring ends it after the process) waits for that and then serves the pool; it does not go on
# without it. A lock of another process on the file stands in for the kernel's.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls iscsi-inq curl flock qemu-io
requires_ashlar

rig_init
rig_start
rig_volume v 64MiB 1
rig_kill
flock --exclusive --no-fork "$RIG_DIR/pool.img" sleep 1.5 &
HOLDER=$!
cleanup_fn bash -c "kill $HOLDER 2>/dev/null"
for _ in $(seq 100); do
    flock --exclusive --nonblock "$RIG_DIR/pool.img" true || break
    sleep 0.01
done
rig_start
LUN="driver=raw,file.driver=iscsi,file.transport=tcp,file.portal=127.0.0.1:$RIG_PORT"
LUN+=",file.target=$RIG_NAME,file.lun=1,file.initiator-name=$RIG_IQN"
timeout 20 qemu-io --image-opts "$LUN" -c 'read -P 0 0 1M' -c 'write -P 7 0 64k' -c 'read -P 7 0 64k' \
    >"$RIG_DIR/out" 2>&1 || { cat "$RIG_DIR/out"; fail "the volume is not served"; }
if grep -qiE 'fail|error|differ' "$RIG_DIR/out"; then
    cat "$RIG_DIR/out"
    fail "the volume is not served as it was"
fi
