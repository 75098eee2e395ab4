#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: libiscsi's tools work as their users expect: iscsi-ls lists the target and its LUNs with
# their sizes, iscsi-inq reads the standard page and every VPD page that we name, iscsi-perf reads in
# order and at random. Each under a time limit: a hang is a failure.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls iscsi-inq iscsi-perf curl

rig_init
rig_start
rig_volume small 64MiB 1
rig_volume large 5GiB 7
URL=$(rig_url 1)

tool() {
    timeout 20 "$@" >"$RIG_DIR/out" 2>&1 || { cat "$RIG_DIR/out"; fail "$*"; }
}

says() {
    grep -qE "$1" "$RIG_DIR/out" || { cat "$RIG_DIR/out"; fail "no '$1' in the answer"; }
}

tool iscsi-ls -i "$RIG_IQN" "$(rig_portal_url)"
says "^Target:$RIG_NAME Portal:127.0.0.1:$RIG_PORT,1"
tool iscsi-ls -s -i "$RIG_IQN" "$(rig_portal_url)"
says '^Lun:1 .*DIRECT_ACCESS'
says '^Lun:7 .*DIRECT_ACCESS \(Size:(4|5)G'

tool iscsi-inq -i "$RIG_IQN" "$URL"
says 'DIRECT_ACCESS'
[ "$RIG_TARGET" = tgt ] || says 'Vendor:ASHLAR'
for page in 0 128 131 176 177 178; do
    tool iscsi-inq -i "$RIG_IQN" -e 1 -c "$page" "$URL"
done

perf() {
    local rc=0
    # iscsi-perf has no way to end but its own time limit.
    timeout 20 iscsi-perf -i "$RIG_IQN" -t 1 "$@" "$URL" >"$RIG_DIR/out" 2>&1 || rc=$?
    [ "$rc" = 0 ] || { cat "$RIG_DIR/out"; fail "iscsi-perf $* exits $rc"; }
    grep -q 'iops average' "$RIG_DIR/out" || { cat "$RIG_DIR/out"; fail "iscsi-perf $*: no figure"; }
}
perf -m 1 -b 8
perf -m 32 -b 8 -r
perf -m 32 -b 256
perf -m 32 -b 1 -r
