#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: malformed requests, hundreds for each route, are refused by the status and the problem that are
# due; not one of them changes what the lists tell, and the daemon goes on.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires curl
requires_ashlar

rig_init
api=127.0.0.1:$(rig_free_port)
RIG_FLAGS+=(--api "$api" --trash-retention 7d)
rig_start
timeout 280 "$ASHLAR_BUILD/tests/e2e/api/ashlar-contract" malform "$RIG_DIR/api.sock" "$api" "$RIG_DIR" ||
    fail "the daemon and its document differ"
rig_api GET /readyz >/dev/null || fail "the daemon is not ready afterwards"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
