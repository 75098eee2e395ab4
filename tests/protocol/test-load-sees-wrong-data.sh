#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: ashlar-load itself can fail. Bytes changed behind the target's back, and zeros where data
# was, end it with 1 and the place; a target that goes silent, and one that dies, with 2.
# Proved on tgt, whose volume is a plain file that this test can spoil.
set -euo pipefail
RIG_TARGET=tgt
. "$(dirname "$0")/../lib/rig.sh"
requires tgtd tgtadm iscsi-ls

LOAD=$(rig_bin ashlar-load)
rig_init
rig_start
rig_volume v 64MiB 1
URL=$(rig_url 1)

# expect RC TEXT: the background load ends so and says so.
expect() {
    local rc=0
    wait "$LOAD_PID" || rc=$?
    [ "$rc" = "$1" ] || { cat "$RIG_DIR/load.out"; fail "ashlar-load exits $rc, want $1"; }
    grep -q "$2" "$RIG_DIR/load.out" || { cat "$RIG_DIR/load.out"; fail "no '$2' in what it says"; }
    echo "ok: exit $1, says $2"
}

load() {
    "$LOAD" --residuals-ok --connections 2 --seconds 8 "$@" "$URL" >"$RIG_DIR/load.out" 2>&1 &
    LOAD_PID=$!
    sleep 1
}

load
dd if=/dev/urandom of="$RIG_DIR/v.img" bs=4096 seek=100 count=200 conv=notrunc status=none
expect 1 "WRONG DATA at lun 1 lba"

load
dd if=/dev/zero of="$RIG_DIR/v.img" bs=4096 seek=100 count=200 conv=notrunc status=none
expect 1 "found zeros"

load --timeout 2
kill -STOP "$RIG_PID"
expect 2 "no answer\|STALL\|imeout\|timed out"
kill -CONT "$RIG_PID"

load
rig_kill
expect 2 "connection\|socket"
