#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: on TCP nothing but health is told without a token; a token works across a restart, and its
# text is nowhere in the daemon's state or log.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires curl jq
requires_ashlar

rig_init
api=127.0.0.1:$(rig_free_port)
RIG_FLAGS+=(--api "$api" --log-level debug)
rig_start

# status PATH [TOKEN]
status() {
    curl -sS -m 10 -o /dev/null -w '%{http_code}' ${2:+-H "Authorization: Bearer $2"} "http://$api$1"
}

[ "$(status /healthz)" = 200 ] || fail "health wants a token"
[ "$(status /v1/pools)" = 401 ] || fail "pools are told without a token"
[ "$(status /v1/pools "ashlar_$(printf 'A%.0s' $(seq 43))")" = 401 ] || fail "a made-up token works"
token=$(rig_api POST /v1/tokens '{"name":"t"}' | jq -r .token)
[ "$(status /v1/pools "$token")" = 200 ] || fail "the token does not work"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
rig_start
[ "$(status /v1/pools "$token")" = 200 ] || fail "the token does not work after a restart"
if grep -rqF "$token" "$RIG_DIR/state" "$RIG_DIR/daemon.log"; then
    fail "the token's text is kept"
fi
rig_api DELETE /v1/tokens/t >/dev/null
[ "$(status /v1/pools "$token")" = 401 ] || fail "the deleted token still works"
