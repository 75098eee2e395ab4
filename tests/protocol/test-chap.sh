#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: CHAP works with each algorithm, one way and both ways, in each form of its values; whatever
# else an initiator does ends its login with the status that RFC 7143 has for it, and is told to the
# admin; no secret is in the log.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls curl jq
requires_ashlar

secret=initiator-secret mutual=target-secret-1 discovery=discovery-secret

attempt() {
    timeout 100 "$(rig_bin ashlar-chap)" 127.0.0.1 "$RIG_PORT" "$RIG_NAME" "$1" || fail "set $1"
}

rig_init
rig_start # pool p, hosts h1 and h2
attempt discovery-open
printf '%s\n' "$mutual" >"$RIG_DIR/mutual"
printf '%s\n' "$discovery" >"$RIG_DIR/discovery"
rig_ctl host change h1 --auth chap --user hv1 --secret-file - --mutual-user box \
    --mutual-secret-file "$RIG_DIR/mutual" <<<"$secret" >/dev/null
rig_ctl host create h3 --initiator iqn.2026-01.test.ashlar:three --auth chap --user hv1 \
    --secret-file - --forbid-md5 <<<"$secret" >/dev/null
attempt normal
attempt long
attempt discovery-open # its credentials are others

rig_ctl host change h1 --address 192.0.2.0/24 --address ::1 >/dev/null
attempt from-elsewhere
[ -z "$(rig_target_name)" ] || fail "discovery from elsewhere tells the target"
rig_ctl host change h1 --address 192.0.2.0/24 --address 127.0.0.0/8 >/dev/null
attempt normal

rig_ctl auth change --forbid-md5 >/dev/null
attempt without-md5
rig_ctl auth change --forbid-md5=false >/dev/null
rig_ctl auth change --auth chap --user finder --secret-file "$RIG_DIR/discovery" --mutual-user box \
    --mutual-secret-file "$RIG_DIR/mutual" >/dev/null
attempt discovery-guarded

rig_api GET /v1/initiators/seen >"$RIG_DIR/seen"
jq -e '.items[] | select(.initiator == "iqn.2026-01.test.ashlar:one")
    | .host == "h1" and .count > 20 and .address == "127.0.0.1" and .reason != ""' "$RIG_DIR/seen" >/dev/null ||
    fail "refused logins are not told: $(cat "$RIG_DIR/seen")"
rig_api GET /v1/hosts/h3 | jq -e '.last_login.address == "127.0.0.1" and .last_refusal.reason != ""' >/dev/null ||
    fail "the host does not tell its logins"
grep -q 'login refused' "$RIG_DIR/daemon.log" || fail "the log tells no refusal"
! grep -q -e "$secret" -e "$mutual" -e "$discovery" "$RIG_DIR/daemon.log" || fail "a secret is in the log"
rig_alive || fail "the daemon died"
