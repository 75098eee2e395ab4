#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a session whose initiator has died without a word, its commands open and its answers not taken, is
# taken over by logins that come to both reactors at once: none is lost, one session is left each time, and
# none at the end.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls curl
requires_ashlar

session_count() {
    rig_api GET /v1/sessions | grep -o '"tsih"' | wc -l
}

rig_init
rig_start
rig_volume v 64MiB 1
timeout 100 "$(rig_bin ashlar-takeover)" 127.0.0.1 "$RIG_PORT" "$RIG_NAME" "$RIG_IQN" 1 30 ||
    fail "takeover"
for _ in $(seq 300); do
    [ "$(session_count)" != 0 ] || break
    sleep 0.1
done
[ "$(session_count)" = 0 ] || fail "sessions are left when their connections are closed"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ends with $RIG_RC"
echo "taken over, and nothing is left"
