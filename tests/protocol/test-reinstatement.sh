#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a login with a live session's ISID takes its place, with a write open too, and no other
# session of the same initiator notices.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls curl

rig_init
rig_start
rig_volume v 64MiB 1
timeout 100 "$(rig_bin ashlar-reinstate)" 127.0.0.1 "$RIG_PORT" "$RIG_NAME" "$RIG_IQN" 1 30 ||
    fail "reinstatement"
