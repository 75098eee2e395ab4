#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: CHAP secrets, tokens and the TLS key are in no log, answer, event, audit entry, metric or error,
# whatever is done with them, rightly and wrongly. CHAP secrets stand in the catalog's table auth and nowhere
# else; a token's text in the answer that makes it and nowhere else.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires curl jq python3 openssl iscsi-ls iscsi-inq
requires_ashlar

rig_init
. "$(dirname "$0")/../cli/lib.sh"
HEARD=$RIG_DIR/heard # all that anybody was told
PLANT=qzPlantedXv    # every CHAP secret begins with it
mkdir "$HEARD" "$RIG_DIR/keys"
CONF=$RIG_DIR/ashlard.conf
KEY=$RIG_DIR/keys/key.pem
PAIR="api-certificate = $RIG_DIR/keys/certificate.pem"$'\n'"api-key = $KEY"
port=$(rig_free_port)
openssl req -x509 -nodes -newkey rsa:2048 -keyout "$KEY" -out "$RIG_DIR/keys/certificate.pem" -subj /CN=here \
    -addext "subjectAltName=IP:127.0.0.1" -days 30 2>/dev/null
echo "$PAIR" >"$CONF"
RIG_FLAGS=(--config "$CONF" --api "127.0.0.1:$port" --api-tls always --log-level debug)
rig_start
rig_volume v 64MiB 1

# --- what speaks to it; all that it answers is kept ---

# hear STATUS METHOD PATH [BODY [HEADER...]]
hear() {
    local want=$1 method=$2 path=$3 body=() header got
    [ -z "${4:-}" ] || body=(-H "Content-Type: ${BODY_TYPE:-application/json}" --data-binary "$4")
    for header in "${@:5}"; do
        body+=(-H "$header")
    done
    got=$(curl -sS -m 30 -i --unix-socket "$RIG_DIR/api.sock" -X "$method" -o "$RIG_DIR/answer" -w '%{http_code}' \
        ${body[@]+"${body[@]}"} "http://localhost$path")
    cat "$RIG_DIR/answer" >>"$HEARD/answers"
    [ "$got" = "$want" ] || { cat "$RIG_DIR/answer"; fail "$method $path $4: $got, not $want"; }
}

# hear_tls STATUS PATH HEADER...
hear_tls() {
    local want=$1 path=$2 header got headers=()
    for header in "${@:3}"; do
        headers+=(-H "$header")
    done
    got=$(curl -sS -m 30 -i --cacert "$RIG_DIR/keys/certificate.pem" -o "$RIG_DIR/answer" -w '%{http_code}' \
        ${headers[@]+"${headers[@]}"} "https://127.0.0.1:$port$path")
    cat "$RIG_DIR/answer" >>"$HEARD/answers"
    [ "$got" = "$want" ] || { cat "$RIG_DIR/answer"; fail "GET $path over TLS: $got, not $want"; }
}

# hear_cli STATUS ARGS...
hear_cli() {
    cli "$@"
    cat "$RIG_DIR/out" "$RIG_DIR/err" >>"$HEARD/ashlarctl"
}

# login NAME%SECRET LUN
login() {
    timeout 20 iscsi-inq -i "$RIG_IQN" "iscsi://${1}@127.0.0.1:$RIG_PORT/$RIG_NAME/1" >/dev/null 2>&1
}

# auth SECRET [MUTUAL]: credentials as JSON.
auth() {
    printf '{"method":"chap","user":"u","secret":"%s-%s"' "$PLANT" "$1"
    [ -z "${2:-}" ] || printf ',"mutual_user":"box","mutual_secret":"%s-%s"' "$PLANT" "$2"
    printf '}'
}

curl -sN --unix-socket "$RIG_DIR/api.sock" -H 'Accept: text/event-stream' http://localhost/v1/events \
    >"$HEARD/events" 2>/dev/null &
watcher=$!
cleanup_fn kill "$watcher"

# --- CHAP secrets that are taken ---

hear 200 PATCH /v1/hosts/h1 "{\"auth\":$(auth host-secret)}" 'Idempotency-Key: one'
hear 200 PATCH /v1/hosts/h1 "{\"auth\":$(auth host-secret)}" 'Idempotency-Key: one'
hear 422 PATCH /v1/hosts/h1 "{\"auth\":$(auth other-secret)}" 'Idempotency-Key: one'
login "u%$PLANT-host-secret" || fail "the planted secret does not serve"
! login "u%$PLANT-wrong-secret" || fail "a wrong secret serves"
! login "$PLANT-name%$PLANT-wrong-secret" || fail "a wrong name serves"
hear 201 POST /v1/hosts \
    "{\"name\":\"a\",\"initiators\":[\"iqn.2026-01.test:a\"],\"auth\":$(auth made-secret made-mutual)}" 'Idempotency-Key: two'
hear 201 POST /v1/hosts \
    "{\"name\":\"a\",\"initiators\":[\"iqn.2026-01.test:a\"],\"auth\":$(auth made-secret made-mutual)}" 'Idempotency-Key: two'
hear 201 PUT /v1/hosts/b "{\"initiators\":[\"iqn.2026-01.test:b\"],\"auth\":$(auth put-secret put-mutual)}"
hear 409 PUT /v1/hosts/b "{\"initiators\":[\"iqn.2026-01.test:b2\"],\"auth\":$(auth other-secret)}"
applied="{\"hosts\":[{\"name\":\"c\",\"initiators\":[\"iqn.2026-01.test:c\"],\"auth\":$(auth applied-secret applied-mutual)},
    {\"name\":\"a\",\"initiators\":[\"iqn.2026-01.test:a\"],\"auth\":$(auth again-secret again-mutual)}]}"
hear 200 POST '/v1/apply?dry_run=1' "$applied"
hear 200 POST /v1/apply "$applied" 'Idempotency-Key: three'
hear 200 POST /v1/apply "$applied" 'Idempotency-Key: three'
hear 200 POST '/v1/hosts?dry_run=1' \
    "{\"name\":\"d\",\"initiators\":[\"iqn.2026-01.test:d\"],\"auth\":$(auth dry-secret dry-mutual)}"
hear 200 PATCH '/v1/hosts/a?dry_run=1' "{\"auth\":$(auth dry-secret dry-mutual)}"
hear 200 PATCH /v1/auth "{\"discovery\":$(auth finder-secret finder-mutual)}" 'Idempotency-Key: four'
hear 200 PATCH /v1/auth "{\"discovery\":$(auth finder-secret finder-mutual)}" 'Idempotency-Key: four'
hear 200 PATCH '/v1/auth?dry_run=1' "{\"discovery\":$(auth dry-secret dry-mutual)}"
timeout 20 iscsi-ls -i "$RIG_IQN" "iscsi://u%$PLANT-finder-secret@127.0.0.1:$RIG_PORT" >/dev/null 2>&1 ||
    fail "discovery with the planted secret is refused"
! timeout 20 iscsi-ls -i "$RIG_IQN" "iscsi://u%$PLANT-wrong-secret@127.0.0.1:$RIG_PORT" >/dev/null 2>&1 ||
    fail "a wrong secret serves for discovery"

# --- and that are refused: each of these bodies has one in it ---

secret="\"$PLANT-refused-secret\""
hear 422 PATCH /v1/hosts/h1 "{\"auth\":{\"method\":\"chap\",\"user\":\"u\",\"secret\":\"$PLANT\"}}"
hear 422 PATCH /v1/hosts/h1 "{\"auth\":{\"method\":\"chap\",\"user\":\"u\",\"secret\":\"$PLANT\\u0001secret\"}}"
hear 422 PATCH /v1/hosts/h1 "{\"auth\":{\"method\":\"chap\",\"user\":\"u\",\"secret\":\"$PLANT$(printf 'x%.0s' $(seq 300))\"}}"
hear 422 PATCH /v1/hosts/h1 "{\"auth\":{\"method\":\"chap\",\"user\":\"u\",\"secret\":[$secret]}}"
hear 422 PATCH /v1/hosts/h1 "{\"auth\":{\"method\":\"chap\",\"user\":\"u\",\"secret\":{\"is\":$secret}}}"
hear 422 PATCH /v1/hosts/h1 "{\"auth\":{\"method\":\"chap\",\"user\":\"u\",\"secrets\":$secret}}"
hear 422 PATCH /v1/hosts/h1 "{\"auth\":{\"method\":\"chap\",\"user\":\"u\",\"secret\":$secret,\"mutual_user\":\"b\",\"mutual_secret\":$secret}}"
hear 422 PATCH /v1/hosts/h1 "{\"auth\":$secret}"
hear 422 PATCH /v1/hosts/h1 "{\"secret\":$secret}"
hear 422 PATCH /v1/auth "{\"discovery\":$(auth refused-secret),\"forbid_md5\":$secret}"
hear 404 PATCH /v1/hosts/none "{\"auth\":$(auth refused-secret)}"
hear 409 POST /v1/hosts "{\"name\":\"a\",\"initiators\":[\"iqn.2026-01.test:x\"],\"auth\":$(auth refused-secret)}"
hear 412 PATCH /v1/hosts/h1 "{\"auth\":$(auth refused-secret)}" 'If-Match: "other"'
hear 400 PATCH /v1/hosts/h1 "{\"auth\":{\"secret\":$secret" # ends too early
hear 400 PATCH /v1/hosts/h1 "{\"auth\":{\"secret\":\"$PLANT-refused"
hear 400 PATCH /v1/hosts/h1 "{\"auth\":{\"secret\":$secret} $PLANT"
hear 400 PATCH /v1/hosts/h1 "{\"auth\":{\"secret\":$secret,\"secret\":$secret}}"
hear 400 PATCH /v1/hosts/h1 "{\"auth\":{\"secret\":\"$PLANT-"$'\xff'"\"}}"
BODY_TYPE=text/plain hear 415 PATCH /v1/hosts/h1 "{\"auth\":$(auth refused-secret)}"
hear 405 POST /v1/auth "{\"discovery\":$(auth refused-secret)}"
hear 422 POST /v1/apply "{\"hosts\":[{\"name\":\"a\",\"auth\":$secret}]}"
hear 422 POST /v1/apply "{\"hosts\":[{\"name\":\"e\",\"initiators\":[\"x\"],\"auth\":$(auth refused-secret)}]}"

# --- by ashlarctl ---

printf '%s-cli-secret\n' "$PLANT" >"$RIG_DIR/keys/secret"
printf '%s-cli-mutual\n' "$PLANT" >"$RIG_DIR/keys/mutual"
printf '%s-line one\n%s-line two\n' "$PLANT" "$PLANT" >"$RIG_DIR/keys/lines"
printf '%s\n' "$PLANT" >"$RIG_DIR/keys/short"
both=(--auth chap --user u --secret-file "$RIG_DIR/keys/secret" --mutual-user box)
hear_cli 0 host change h2 "${both[@]}" --mutual-secret-file "$RIG_DIR/keys/mutual"
hear_cli 0 host change h2 "${both[@]}" --mutual-secret-file "$RIG_DIR/keys/mutual" --dry-run
hear_cli 1 host change h2 --auth chap --user u --secret-file "$RIG_DIR/keys/short"
hear_cli 1 host change h2 "${both[@]}" --mutual-secret-file "$RIG_DIR/keys/secret"
hear_cli 2 host change h2 --secret-file "$RIG_DIR/keys/lines"
hear_cli 0 host show h1 h2 a b c --json
hear_cli 0 auth show --json
hear_cli 0 audit list --json
hear_cli 0 audit verify
echo "$applied" >"$RIG_DIR/keys/document"
hear_cli 0 apply "$RIG_DIR/keys/document" --dry-run
hear_cli 0 apply "$RIG_DIR/keys/document"

# --- tokens ---

token=$(rig_api POST /v1/tokens '{"name":"t"}' | jq -r .token)
made=$(curl -sS --unix-socket "$RIG_DIR/api.sock" -H 'Content-Type: application/json' -H 'Idempotency-Key: five' \
    -d '{"name":"once"}' http://localhost/v1/tokens | jq -r .token)
[ "${#made}" -gt 20 ] || fail "no token"
hear 409 POST /v1/tokens '{"name":"once"}' 'Idempotency-Key: five'
hear 409 POST /v1/tokens '{"name":"t"}'
hear 200 POST '/v1/tokens?dry_run=1' '{"name":"dry"}'
shown=$(rig_ctl token create shown 2>"$HEARD/token" | grep -o 'ashlar_[^ ]*') || fail "ashlarctl shows no token"
hear_tls 200 /v1 "Authorization: Bearer $token"
hear_tls 200 /v1/tokens "Authorization: Bearer $made"
hear_tls 401 /v1 "Authorization: Basic $token"
hear_tls 401 /v1 "Authorization: Bearer ${token}x"
hear_tls 401 /v1 "Authorization: $token"
hear_tls 400 '/v1/volumes?filter=nonsense' "Authorization: Bearer $token"
ASHLAR_TOKEN=$token cli_plain 0 --url "https://127.0.0.1:$port" --cacert "$RIG_DIR/keys/certificate.pem" volume list
cat "$RIG_DIR/out" "$RIG_DIR/err" >>"$HEARD/ashlarctl"
ASHLAR_TOKEN=${made}x cli_plain 1 --url "https://127.0.0.1:$port" --cacert "$RIG_DIR/keys/certificate.pem" volume list
cat "$RIG_DIR/out" "$RIG_DIR/err" >>"$HEARD/ashlarctl"
hear 204 DELETE /v1/tokens/once
hear_tls 401 /v1 "Authorization: Bearer $made"

# --- the TLS key: read again, and files that hold none ---

# reloaded RE: a reload that logs such a line.
reloaded() {
    local before
    before=$(grep -cE "$1" "$RIG_DIR/daemon.log" || true)
    kill -HUP "$RIG_PID"
    for _ in $(seq 200); do
        [ "$(grep -cE "$1" "$RIG_DIR/daemon.log" || true)" -gt "$before" ] && return 0
        sleep 0.05
    done
    fail "no line like '$1' after SIGHUP"
}
cp "$KEY" "$RIG_DIR/keys/kept"
{ echo "-----BEGIN PRIVATE KEY-----"; echo "$PLANT"; sed -n 3,9p "$RIG_DIR/keys/kept"; } >"$KEY"
reloaded 'not reloaded'
cp "$RIG_DIR/keys/kept" "$KEY"
reloaded 'API certificate".*certificate\.pem'

# --- everything that can be read ---

hear 202 POST /v1/pools/p/check
for path in /healthz /readyz /metrics /v1 /v1/openapi.json /v1/auth /v1/pools /v1/pools/p /v1/volumes /v1/volumes/v \
    /v1/snapshots /v1/trash /v1/hosts /v1/hosts/h1 /v1/hosts/h2 /v1/hosts/a /v1/hosts/b /v1/hosts/c /v1/mappings \
    /v1/initiators/seen /v1/sessions /v1/drains /v1/portal-groups /v1/jobs /v1/events /v1/tokens /v1/tokens/t '/v1/audit?limit=1000' \
    '/v1/hosts?sort=-name&filter=name~*a' '/v1/hosts?fields=auth'; do
    hear 200 GET "$path"
done
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
rig_start
hear 200 GET '/v1/audit?limit=1000'
hear 200 GET /v1/hosts
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
wait "$watcher" || true
RIG_CLEANUPS=()
[ "$(grep -c '^event:' "$HEARD/events")" -ge 5 ] || fail "no events were heard"
cp "$RIG_DIR/daemon.log" "$HEARD/log"

python3 "$(dirname "$0")/planted.py" "$RIG_DIR/state/catalog.db" "$HEARD" "$PLANT" "$RIG_DIR/keys/kept" \
    "$token" "$made" "$shown" || fail "a secret is told"
