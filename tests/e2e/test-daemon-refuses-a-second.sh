#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a second daemon on the same state directory refuses to start, in one line that says why, and
# the first goes on; so does one whose portal is taken.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls iscsi-inq curl
requires_ashlar

rig_init
rig_start
rig_volume v 64MiB 1

# refused TEXT FLAGS...: ends with a failure soon, its last line says TEXT.
refused() {
    local text=$1 rc=0
    shift
    timeout 20 "$RIG_ASHLARD" --reactors 1 --io-engine "$RIG_ENGINE" "$@" >"$RIG_DIR/second" 2>&1 || rc=$?
    if [ "$rc" = 0 ] || [ "$rc" -ge 124 ]; then
        cat "$RIG_DIR/second"
        fail "it ends with $rc"
    fi
    tail -n 1 "$RIG_DIR/second" | grep -qE "$text" || { cat "$RIG_DIR/second"; fail "no '$text' in its last line"; }
}

PORT2=$(rig_free_port)
refused "$RIG_DIR/state" --state-dir "$RIG_DIR/state" --portal "127.0.0.1:$PORT2" \
    --api-socket "$RIG_DIR/second.sock"
mkdir "$RIG_DIR/state2"
refused "127.0.0.1:$RIG_PORT" --state-dir "$RIG_DIR/state2" --portal "127.0.0.1:$RIG_PORT" \
    --api-socket "$RIG_DIR/second.sock"
refused "api.sock" --state-dir "$RIG_DIR/state2" --portal "127.0.0.1:$PORT2" \
    --api-socket "$RIG_DIR/api.sock"
timeout 20 iscsi-inq -i "$RIG_IQN" "$(rig_url 1)" >/dev/null || fail "the first daemon does not serve"
rig_api GET /v1/pools >/dev/null || fail "the first daemon's API does not answer"
