#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: yesterday's catalog put back is not served: its pool is failed, both ages are named, no block of another
# volume is shown, nothing is written to the device; so with a device that is older than its catalog. Each goes on with its own.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/lun.sh"
requires iscsi-ls curl jq qemu-io
requires_ashlar

rig_init
rig_start
rig_volume old 32MiB 1
io 1 "write -P 1 0 8M" flush
rig_stop
cp "$RIG_DIR/state/catalog.db" "$RIG_DIR/yesterday.db"
cp --sparse=always "$RIG_DIR/pool.img" "$RIG_DIR/yesterday.img"

# Today: the old volume's space is another volume's.
rig_start
rig_volume_delete old 1
rig_volume new 32MiB 2
used_becomes 0
for i in 0 1 2; do io 2 "write -P 2 $((i * 8))M 8M" flush; done
rig_stop
cp "$RIG_DIR/state/catalog.db" "$RIG_DIR/today.db"
cksum <"$RIG_DIR/pool.img" >"$RIG_DIR/before"

put_back() {
    rm -f "$RIG_DIR"/state/catalog.db*
    cp "$1" "$RIG_DIR/state/catalog.db"
}

put_back "$RIG_DIR/yesterday.db"
: >"$RIG_DIR/daemon.log"
rig_start
[ "$(of /v1/pools/p .state)" = failed ] || fail "an old catalog is served"
grep -qE 'the catalog \(generation [0-9]+\) is older than device [^ ]*pool.img \([0-9]+\)' "$RIG_DIR/daemon.log" ||
    fail "the log does not name both"
! io_try 1 "read 0 64k" || fail "the old volume is read"
! io_try 1 "write -P 3 0 64k" || fail "the old volume is written"
rig_stop
cksum <"$RIG_DIR/pool.img" | cmp - "$RIG_DIR/before" || fail "an old catalog's daemon wrote to the device"

# The device is yesterday's.
put_back "$RIG_DIR/today.db"
mv "$RIG_DIR/pool.img" "$RIG_DIR/today.img"
cp --sparse=always "$RIG_DIR/yesterday.img" "$RIG_DIR/pool.img"
rig_start
[ "$(of /v1/pools/p .state)" = failed ] || fail "an old device is served"
grep -qE 'device [^ ]*pool.img \(generation [0-9]+\) is older than the catalog' "$RIG_DIR/daemon.log" ||
    fail "the log does not name both"
rig_stop

put_back "$RIG_DIR/today.db"
mv "$RIG_DIR/today.img" "$RIG_DIR/pool.img"
rig_start
[ "$(of /v1/pools/p .state)" = online ] || fail "today's catalog is not served"
io 2 "read -P 2 0 24M"
