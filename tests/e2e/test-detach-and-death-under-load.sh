#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: initiators that die with commands open, mappings that are taken away under I/O, volumes that
# are deleted right after and sessions taken over meanwhile harm nothing: the daemon goes on, space and
# map agree, an undisturbed initiator reads what it wrote, and SIGTERM ends it with status 0.
# DETACH_ROUNDS: 6.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/../crash/agree.sh"
requires iscsi-ls iscsi-inq curl jq
requires_ashlar

ROUNDS=${DETACH_ROUNDS:-6}
LOAD=$(rig_bin ashlar-load)
rig_init
rig_start
rig_volume calm 64MiB 1

"$LOAD" --seconds $((ROUNDS * 2)) --connections 4 --depth 8 --lun 1 "$(rig_url 1)" >"$RIG_DIR/calm" 2>&1 &
CALM=$!

# Somebody writes to it with all that it has; a moment later it is not there any more.
disturbed() {
    "$LOAD" --initiator "$RIG_IQN2" --seconds 20 --connections 8 --depth 32 --lun 2 "$(rig_url 2)" >"$RIG_DIR/disturbed" 2>&1 &
    VICTIM=$!
    sleep "0.$((2 + RANDOM % 7))"
}

for round in $(seq "$ROUNDS"); do
    rig_volume v 64MiB 2
    disturbed
    case $((round % 3)) in
    0) # the initiator dies
        kill -KILL "$VICTIM"
        ;;
    1) # its LUN goes; it says so and ends by itself
        rig_ctl mapping delete v/h2 >/dev/null || fail "mapping delete under load"
        ;;
    2) # sessions are taken over beside it, and it dies
        timeout 60 "$(rig_bin ashlar-reinstate)" 127.0.0.1 "$RIG_PORT" "$RIG_NAME" "$RIG_IQN2" 2 5 ||
            fail "reinstatement beside load"
        kill -KILL "$VICTIM"
        ;;
    esac
    rc=0
    { wait "$VICTIM" || rc=$?; } 2>/dev/null
    [ "$rc" = 137 ] || [ "$rc" = 2 ] || { cat "$RIG_DIR/disturbed"; fail "round $round: the disturbed load ends with $rc"; }
    [ $((round % 3)) = 1 ] || rig_ctl mapping delete v/h2 >/dev/null || fail "mapping delete"
    rig_ctl mapping delete v/h1 >/dev/null || fail "mapping delete"
    rig_ctl volume delete v >/dev/null || fail "volume delete"
    rig_alive || fail "round $round: the daemon died"
done
rc=0
wait "$CALM" || rc=$?
[ "$rc" = 0 ] || { cat "$RIG_DIR/calm"; fail "the undisturbed load ends with $rc"; }
pool_agrees "after it all"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ends with $RIG_RC (999: it hangs)"
