#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: SendTargets tells an initiator all that it may log in to and nothing else, however long that is
# and however the text is cut; what else an initiator does with a text exchange is answered by the rules,
# and a target that is not shown to it is none. As much over IPv6.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls curl
requires_ashlar

COUNT=${DISCOVERY_COUNT:-400}

# Volumes and their mappings, by one curl.
own_targets() {
    local i
    for i in $(seq "$COUNT"); do
        request volumes "{\"name\":\"own$i\",\"pool\":\"p\",\"size\":1048576}"
        request mappings "{\"volume\":\"own$i\",\"host\":\"h1\",\"export\":\"own\"}"
    done >"$RIG_DIR/requests"
    sed -i '$d' "$RIG_DIR/requests" # no request comes after the last "next"
    curl -sS --fail-early -K "$RIG_DIR/requests" >/dev/null || fail "the own targets are not made"
}
request() {
    printf 'fail\nmax-time = 30\nunix-socket = "%s"\nurl = "http://localhost/v1/%s"\nheader = "Content-Type: application/json"\n' \
        "$RIG_DIR/api.sock" "$1"
    printf 'output = "/dev/null"\ndata = "%s"\nnext\n' "${2//\"/\\\"}"
}

RIG_FLAGS=(--portal "[::1]:0" --advertise san.storage-network.example.org --advertise "[2001:db8::1]:3261,2")
rig_init
rig_start
rig_volume v 64MiB 1
own_targets
port6=$(rig_api GET /v1 | sed -n 's/.*"\[::1\]:\([0-9]*\)".*/\1/p')
[ -n "$port6" ] || fail "no IPv6 portal"
check() {
    timeout 100 "$(rig_bin ashlar-discovery)" "$1" "$2" "$RIG_NAME" "$RIG_IQN" "$RIG_IQN2" "$COUNT" "${@:3}" ||
        fail "discovery at $1"
}
check 127.0.0.1 "$RIG_PORT" "$@"
check ::1 "$port6" "$@"
rig_alive || fail "the daemon died"
