#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: bad requests are answered with problem+json of the right status that names the member at
# fault, change nothing, and the daemon goes on.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires curl jq
requires_ashlar

rig_init
rig_start

# bad STATUS POINTER BODY: POST /v1/volumes.
bad() {
    local status
    status=$(curl -sS -m 10 --unix-socket "$RIG_DIR/api.sock" -o "$RIG_DIR/body" -D "$RIG_DIR/head" \
        -w '%{http_code}' -H 'Content-Type: application/json' --data-binary "$3" \
        http://localhost/v1/volumes)
    if [ "$status" != "$1" ] || ! grep -qi '^content-type: application/problem+json' "$RIG_DIR/head" ||
        [ "$(jq -r '.pointer // ""' "$RIG_DIR/body")" != "$2" ]; then
        cat "$RIG_DIR/head" "$RIG_DIR/body"
        fail "$3: $status, want $1 and pointer '$2'"
    fi
}

bad 400 '' '{'
bad 400 '' ''
bad 400 '' '{"name":"a","name":"b"}'
bad 400 '' "$(printf '[%.0s' $(seq 5000))"
bad 422 /size '{"name":"v","pool":"p","size":-1}'
bad 422 /size '{"name":"v","pool":"p","size":"12 parsecs"}'
bad 422 /size '{"name":"v","pool":"p","size":1.5}'
bad 422 /size '{"name":"v","pool":"p","size":1e40}'
bad 422 /name '{"name":"","pool":"p","size":1048576}'
bad 422 /name '{"name":7,"pool":"p","size":1048576}'
bad 422 /nonsense '{"name":"v","pool":"p","size":1048576,"nonsense":true}'
bad 422 /pool '{"name":"v","pool":"nowhere","size":1048576}'
[ "$(rig_api GET /v1/volumes | jq '.items | length')" = 0 ] || fail "a refused request made a volume"
rig_volume v 64MiB 1
