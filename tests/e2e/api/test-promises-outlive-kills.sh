#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: what the API has answered holds however often its daemon is killed -9 meanwhile, and with many
# clients racing: one Idempotency-Key makes one volume and is answered with it ever after, no If-Match
# overwrites what its client had not read, a document is applied whole, jobs end; and the audit has each
# change once, in a chain that verifies. PROMISES_KILLS, PROMISES_CLIENTS: how many of them.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires curl jq python3
requires_ashlar

rig_init
rig_start
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
rig_ashlar_command
python3 "$(dirname "$0")/promises.py" "$RIG_DIR/api.sock" "${PROMISES_KILLS:-6}" "${PROMISES_CLIENTS:-64}" \
    "$RIG_DIR/daemon.log" -- "${RIG_COMMAND[@]}" >"$RIG_DIR/figures" || fail "a promise is broken"

rig_start
rig_ctl audit verify >"$RIG_DIR/verified" || fail "the audit: $(cat "$RIG_DIR/verified")"
rig_check >/dev/null || fail "no check of the pool"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
cat "$RIG_DIR/verified" "$RIG_DIR/figures"
