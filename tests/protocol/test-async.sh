#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: sessions of a drained portal or host are asked to log out and dropped with notice if they do
# not, their logins are sent elsewhere or refused, and all is as before when the drain ends; a kick, a
# host that goes and the daemon's stop are told too, to sessions of each reactor; the stop is bounded.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls curl jq
requires_ashlar

BOUND=20 # seconds; a hang is what this is about, not speed
RIG_REACTORS=2
rig_init

cases() {
    timeout 100 "$(rig_bin ashlar-async)" 127.0.0.1 "$RIG_PORT" "$RIG_NAME" "$RIG_IQN" "$RIG_IQN2" \
        "$RIG_ASHLARCTL --socket $RIG_DIR/api.sock" "$RIG_PID" "$@" || fail "a case"
}

# stops CASE: the case stops the daemon, which ends by itself.
stops() {
    cases "$1"
    for _ in $(seq $((BOUND * 50))); do
        rig_running || break
        sleep 0.02
    done
    ! rig_running || fail "$1: the daemon does not end in $BOUND s"
    rig_stop
    [ "$RIG_RC" = 0 ] || fail "$1: the daemon ends with $RIG_RC"
    rig_start
}

rig_start # pool p, hosts h1 and h2
rig_volume v 64MiB 1
cases logs-out does-not-log-out undrained redirected host-drained portal-drained kicked host-removed
[ "$(rig_api GET /v1/drains | jq '.items | length')" = 0 ] || fail "a drain is left"
stops logs-out-at-a-stop
stops dropped-at-a-stop
