#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: the resource that note.patch adds has all that a resource has: keys, dry runs, tags, conditions,
# lists with filter, sort, fields and pages, permissions, problems, the audit and events.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires curl jq
requires_ashlar

rig_init
api=127.0.0.1:$(rig_free_port)
RIG_FLAGS+=(--api "$api")
rig_start
DONE=0

# asked WHAT STATUS METHOD PATH [BODY [CURL FLAG...]]: on the socket. Head and body are in the files head and body.
asked() {
    local got body=()
    [ -z "${5:-}" ] || body=(-H 'Content-Type: application/json' -d "$5")
    got=$(curl -sS -m 30 --unix-socket "$RIG_DIR/api.sock" -X "$3" -D "$RIG_DIR/head" -o "$RIG_DIR/body" \
        -w '%{http_code}' ${body[@]+"${body[@]}"} "${@:6}" "http://localhost$4")
    [ "$got" = "$2" ] || { cat "$RIG_DIR/body"; fail "$1: $got"; }
    DONE=$((DONE + 1))
}

# is JQ: of the last body.
is() {
    jq -e "$1" "$RIG_DIR/body" >/dev/null || { cat "$RIG_DIR/body"; fail "not $1"; }
    DONE=$((DONE + 1))
}

monday='{"name":"monday","text":"one"}'
asked "a dry run" 200 POST '/v1/notes?dry_run=1' "$monday"
is '.dry_run'
asked "nothing is there" 200 GET /v1/notes
is '.items == []'
asked "a note is made" 201 POST /v1/notes "$monday" -H 'Idempotency-Key: k'
is '.name == "monday" and .text == "one" and .id == "1"'
asked "the same again" 201 POST /v1/notes "$monday" -H 'Idempotency-Key: k'
grep -qi '^Idempotency-Replayed: true' "$RIG_DIR/head" || fail "not said to be a repetition"
is '.id == "1"'
asked "the key with another" 422 POST /v1/notes '{"name":"x","text":"y"}' -H 'Idempotency-Key: k'
asked "the name is taken" 409 POST /v1/notes "$monday"
is '.pointer == "/name"'
asked "a member too many" 422 POST /v1/notes '{"name":"x","text":"y","txet":"z"}'
is '.pointer == "/txet"'
for i in 2 3 4; do
    asked "note $i" 201 POST /v1/notes "{\"name\":\"n$i\",\"text\":\"t$((i % 2))\"}"
done

asked "a filter" 200 GET '/v1/notes?filter=text=t0,id>1'
is '[.items[].name] == ["n2", "n4"]'
asked "an order" 200 GET '/v1/notes?sort=-name&fields=name'
is '.items == [{"name":"n4"}, {"name":"n3"}, {"name":"n2"}, {"name":"monday"}]'
asked "a page" 200 GET '/v1/notes?limit=3'
is '.items | length == 3'
asked "the next page" 200 GET "/v1/notes?limit=3&after=$(jq -r .next "$RIG_DIR/body")"
is '[.items[].id] == ["4"] and .next == null'

asked "one by its name" 200 GET /v1/notes/monday
etag=$(sed -nE 's/^ETag: ([^\r]*).*/\1/pI' "$RIG_DIR/head")
[ -n "$etag" ] || fail "no entity tag"
asked "one by its id" 200 GET /v1/notes/1
asked "it has not changed" 304 GET /v1/notes/monday '' -H "If-None-Match: $etag"
asked "another tag" 412 DELETE /v1/notes/monday '' -H 'If-Match: "x"'
asked "deleted" 204 DELETE /v1/notes/monday '' -H "If-Match: $etag"
asked "it is gone" 404 GET /v1/notes/monday

for scope in read provision; do
    token=$(rig_api POST /v1/tokens "{\"name\":\"$scope\",\"scope\":\"$scope\"}" | jq -r .token)
    got=$(curl -sS -m 30 -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" \
        -H 'Content-Type: application/json' -d "{\"name\":\"$scope\",\"text\":\"x\"}" "http://$api/v1/notes")
    [ "$got" = "$([ $scope = read ] && echo 403 || echo 201)" ] || fail "$scope: $got"
    DONE=$((DONE + 1))
done
asked "the audit" 200 GET '/v1/audit?limit=1000'
is '[.items[] | select(.operation == "note_create") | .subject] == ["monday", "n2", "n3", "n4", "provision"]'
asked "events" 200 GET '/v1/events?limit=1000'
is '[.items[].type] | index("note.created") != null and index("note.deleted") != null'
rig_ctl audit verify >/dev/null || fail "the audit does not verify"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
echo "$DONE answers as they should be"
