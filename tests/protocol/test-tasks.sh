#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: commands run in the order of their task attributes, every task management function is answered
# in every state of a task and does to other sessions what it should and no more, the functions of
# RFC 7144 are there for who negotiated them, and the command window holds under stress.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-inq curl

rig_init
rig_start
rig_volume v 64MiB 1
timeout 100 "$(rig_bin ashlar-tasks)" 127.0.0.1 "$RIG_PORT" "$RIG_NAME" "$RIG_IQN" 1 "$@" ||
    fail "tasks"
timeout 20 iscsi-inq -i "$RIG_IQN" "$(rig_url 1)" >/dev/null || fail "no session afterwards"
rig_alive || fail "the daemon died"
