#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: load that checks its data, and a guest's disk (QEMU's initiator), go on without an error
# while their sessions are drained again and again: they log out when they are asked, none is
# dropped, they wait out a drain that sends them nowhere, and follow one that sends them elsewhere.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls curl jq qemu-img
requires_ashlar

CONNECTIONS=4
SECONDS_ALL=${LOAD_SECONDS:-30}
BOUND=40 # seconds to come or go; a hang is what this is about
elsewhere=127.0.0.1:$(rig_free_port)
RIG_FLAGS+=(--portal "$elsewhere")
rig_init
rig_start
rig_volume v 64MiB 1
rig_volume w 64MiB 2
here=127.0.0.1:$RIG_PORT

# sessions PORTAL
sessions() {
    rig_api GET /v1/sessions | jq "[.items[] | select(.portal == \"$1\" and .type == \"normal\")] | length"
}

# become PORTAL NUMBER
become() {
    for _ in $(seq $((BOUND * 10))); do
        [ "$(sessions "$1")" != "$2" ] || return 0
        sleep 0.1
    done
    fail "$(sessions "$1") sessions at $1, not $2"
}

# drain PORTAL FLAGS...: until it is empty; nobody had to be dropped. Its id is in id.
drain() {
    id=$(rig_ctl drain create --portal "$1" --logout-timeout 30 "${@:2}" --json | jq -r .id)
    become "$1" 0
    rig_ctl drain show "$id" --json >"$RIG_DIR/drain"
    jq -e '.asked >= 5 and .dropped == 0 and .sessions == 0' "$RIG_DIR/drain" >/dev/null ||
        fail "the drain went otherwise: $(cat "$RIG_DIR/drain")"
}

undrain() {
    rig_ctl drain delete "$id" >/dev/null
}

# Of both; they are to be there after all drains.
under_way() {
    kill -0 "$load" 2>/dev/null || { cat "$RIG_DIR/load"; fail "the load ended"; }
    kill -0 "$guest" 2>/dev/null || { cat "$RIG_DIR/guest"; fail "the guest's disk had an error"; }
}

stop() {
    kill -KILL "$load" "$guest" 2>/dev/null || true # QEMU ignores SIGTERM while it reconnects
}

"$(rig_bin ashlar-load)" --reconnect --connections $CONNECTIONS --seconds "$SECONDS_ALL" --timeout 60 \
    "$(rig_url 1)" >"$RIG_DIR/load" 2>&1 &
load=$!
qemu-img bench -w -n -c 1000000000 -d 8 -s 4096 --image-opts \
    "driver=iscsi,transport=tcp,portal=$here,target=$RIG_NAME,lun=2,initiator-name=$RIG_IQN2" \
    >"$RIG_DIR/guest" 2>&1 &
guest=$!
cleanup_fn stop
become "$here" 5

for _ in 1 2; do
    drain "$here"
    undrain
    become "$here" 5
done
drain "$here" --redirect "$elsewhere"
become "$elsewhere" 5
undrain
[ "$(sessions "$elsewhere")" = 5 ] || fail "who was sent elsewhere is gone"
drain "$elsewhere" --redirect "$here"
become "$here" 5
undrain
under_way

wait "$load" || { cat "$RIG_DIR/load"; fail "the load had an error"; }
load=$guest
under_way
! grep -q 'does not log out' "$RIG_DIR/daemon.log" || fail "a session was dropped"
tail -n 1 "$RIG_DIR/load"
