#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: clients that go away in the middle of a change harm nothing: each change is done or not, and
# the daemon goes on.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires curl jq
requires_ashlar

rig_init
rig_start

# From no time at all to long enough: some leave before the request is read, some before the answer.
for i in $(seq 1 60); do
    curl -sS -m "0.00$((i % 9 + 1))" -o /dev/null --unix-socket "$RIG_DIR/api.sock" \
        -H 'Content-Type: application/json' -d "{\"name\":\"v$i\",\"pool\":\"p\",\"size\":\"1GiB\"}" \
        http://localhost/v1/volumes 2>/dev/null || true
done
count=$(rig_api GET '/v1/volumes?limit=1000' | jq '.items | length')
[ "$(rig_api GET /v1/pools/p | jq .volume_count)" = "$count" ] || fail "the pool counts otherwise"
for name in $(rig_api GET '/v1/volumes?limit=1000' | jq -r '.items[].name'); do
    rig_api DELETE "/v1/volumes/$name" >/dev/null || fail "cannot delete $name"
done
rig_volume after 64MiB 1
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
