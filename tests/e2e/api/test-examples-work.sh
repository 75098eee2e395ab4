#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: the requests that the API's document shows as examples work on a running daemon, one after the
# other, and each answer is as the document says.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires_ashlar

rig_init
api=127.0.0.1:$(rig_free_port)
RIG_FLAGS+=(--api "$api" --trash-retention 7d)
rig_start
timeout 60 "$ASHLAR_BUILD/tests/e2e/api/ashlar-contract" examples "$RIG_DIR/api.sock" "$api" "$RIG_DIR" ||
    fail "an example does not work"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
