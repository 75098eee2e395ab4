#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: no COMPARE AND WRITE is lost and none comes between another and its write: counters of one block, of several
# and of several extents, incremented by 16 sessions over all reactors beside writes, zeros and unmaps in the same
# blocks and extents, are in the end exactly what was answered GOOD, while snapshots are made and deleted; also where
# the LUN is a clone, whose blocks come from another layer. Each read of a counter finds one number in all of it.
# CAW_SECONDS: each of two runs takes so long (4); CAW_SEED.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/../crash/agree.sh"
requires iscsi-ls curl jq
requires_ashlar

SECONDS_EACH=${CAW_SECONDS:-4}
SEED=${CAW_SEED:-$RANDOM}
rig_init
rig_start
rig_volume a 64MiB 1

# snapshots NAME: until the file `counted` is there.
snapshots() {
    local n=0
    while [ ! -e "$RIG_DIR/counted" ]; do
        n=$((n + 1))
        rig_ctl snapshot create "$1/s$n" >/dev/null && rig_ctl snapshot delete "$1/s$n" >/dev/null || return 1
    done
    echo "$n snapshots"
}

# count NAME LUN SEED
count() {
    local rc=0 churn
    rm -f "$RIG_DIR/counted"
    snapshots "$1" &
    churn=$!
    timeout 300 "$(rig_bin ashlar-caw)" "$(rig_url "$2")" "$RIG_IQN" 16 "$SECONDS_EACH" "$3" || rc=$?
    touch "$RIG_DIR/counted"
    wait "$churn" || fail "a snapshot under the load"
    [ "$rc" = 0 ] || fail "ashlar-caw ends with $rc (seed $3)"
}

count a 1 "$SEED"
rig_ctl snapshot create a/base >/dev/null || fail "snapshot create"
rig_ctl volume clone a/base b >/dev/null || fail "volume clone"
rig_map b h1 2
count b 2 "$((SEED + 1))"
pool_agrees "after the counting"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ends with $RIG_RC"
