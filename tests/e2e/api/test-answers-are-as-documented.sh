#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: every operation of a running daemon answers as the document that it serves says: status,
# headers, body; asked rightly and asked wrongly.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires iscsi-ls curl
requires_ashlar

rig_init
api=127.0.0.1:$(rig_free_port)
RIG_FLAGS+=(--api "$api" --trash-retention 7d)
rig_start
rig_volume v 64MiB 1

# A session to show and to end: it stays until its input ends.
mkfifo "$RIG_DIR/hold"
"$(rig_bin ashlar-idle)" 1 "$RIG_IQN" "$(rig_url 1)" <"$RIG_DIR/hold" >"$RIG_DIR/idle.out" 2>&1 &
exec 9>"$RIG_DIR/hold"
for _ in $(seq 200); do
    grep -q ready "$RIG_DIR/idle.out" && break
    sleep 0.05
done
grep -q ready "$RIG_DIR/idle.out" || fail "no session: $(cat "$RIG_DIR/idle.out")"

timeout 60 "$ASHLAR_BUILD/tests/e2e/api/ashlar-contract" walk "$RIG_DIR/api.sock" "$api" "$RIG_DIR" ||
    fail "the API and its document differ"
exec 9>&-
rig_api GET /readyz >/dev/null || fail "the daemon is not ready afterwards"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
