#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: PDUs that no initiator should send are answered as RFC 7143 says, or their connection is
# closed, while a bystander's session is served all the time and new ones can log in afterwards.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls iscsi-inq curl

rig_init
rig_start
rig_volume v 64MiB 1
timeout 200 "$(rig_bin ashlar-badpdu)" 127.0.0.1 "$RIG_PORT" "$RIG_NAME" "$RIG_IQN" 1 "$@" ||
    fail "bad PDUs"
timeout 20 iscsi-inq -i "$RIG_IQN" "$(rig_url 1)" >/dev/null || fail "no session afterwards"
rig_alive || fail "the daemon died"
