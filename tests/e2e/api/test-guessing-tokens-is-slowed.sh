#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: who brings unknown tokens is not listened to for a while, good tokens included, so that
# nothing is learnt meanwhile; other addresses and the Unix socket are served, and it is logged once.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires curl jq
requires_ashlar

rig_init
api=127.0.0.1:$(rig_free_port)
RIG_FLAGS+=(--api "$api")
rig_start
token=$(rig_api POST /v1/tokens '{"name":"t"}' | jq -r .token)
wrong=ashlar_$(printf 'A%.0s' $(seq 43))

# status FROM PATH [TOKEN]
status() {
    curl -sS -m 10 --interface "$1" -o "$RIG_DIR/body" -D "$RIG_DIR/head" -w '%{http_code}' \
        ${3:+-H "Authorization: Bearer $3"} "http://$api$2"
}

for _ in $(seq 10); do
    [ "$(status 127.0.0.1 /v1 "$wrong")" = 401 ] || fail "a made-up token is not refused as such"
done
for try in "$wrong" "$token" ''; do
    [ "$(status 127.0.0.1 /v1 "$try")" = 429 ] || fail "it is listened to"
    [ "$(jq -r .type "$RIG_DIR/body")" = /problems/too-many-failures ] || fail "another problem"
    grep -qiE '^Retry-After: [1-9][0-9]?.?$' "$RIG_DIR/head" || fail "it is not said for how long"
done
[ "$(status 127.0.0.1 /healthz)" = 200 ] || fail "health wants a token"
[ "$(status 127.0.0.2 /v1 "$token")" = 200 ] || fail "another address is locked out too"
rig_api GET /v1 >/dev/null || fail "the Unix socket is locked out too"
metrics=$(rig_api GET /metrics)
grep -q '^ashlar_api_auth_failures_total 10$' <<<"$metrics" || fail "failures are miscounted"
grep -q '^ashlar_api_auth_locked_total 3$' <<<"$metrics" || fail "what was not listened to is miscounted"
[ "$(grep -c 'msg="api address locked out" client=127.0.0.1' "$RIG_DIR/daemon.log")" = 1 ] || fail "not logged once"
! grep -qF "$wrong" "$RIG_DIR/daemon.log" || fail "the log has what was tried"
