#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a portal group that is set to standby while its sessions write takes no more of it once that is
# answered: nothing is under way any more, and what comes is told why not. All sessions are told of each
# change, those of the other group go on without an error (QEMU's initiator does), and the state is kept
# over a restart. The last way to a disk is not taken away unasked.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/../lib/ask.sh"
requires curl jq iscsi-ls qemu-img
requires_ashlar
answer="" # what ask hears

ROUNDS=${ROUNDS:-8}
GROUPS_CDB=a30a00000000000000400000
TRANSITION=02:040a STANDBY=02:040b UNAVAILABLE=02:040c CHANGED=06:2a06

second=$(rig_free_port)
RIG_FLAGS+=(--portal "127.0.0.1:$second,2")
rig_init
rig_start
rig_volume v 256MiB 1
rig_volume w 64MiB 2

# by PORT NAME INITIATOR LUN: a session that comes to that port.
by() {
    RIG_PORT=$1 session "${@:2}"
}

# said: the key and the code of the sense data in `answer`.
said() {
    [[ $answer == 'sense 70'* ]] && echo "${answer:10:2}:${answer:30:4}"
}

# told NAME KEY:CODE: its next command is.
told() {
    ask "$1" none 000000000000
    [ "$(said)" = "$2" ] || fail "session $1 is told \"$answer\", not $2"
}

# states NAME HEX: of both groups, as REPORT TARGET PORT GROUPS tells them.
states() {
    good "$1" in 64 $GROUPS_CDB
    local data=${answer#good }
    [ "${data:8:2}${data:12:4} ${data:32:2}${data:36:4}" = "$2" ] || fail "the groups are told as $data, not $2"
}

set_state() {
    rig_api PATCH "/v1/portal-groups/$1" "{\"state\":\"$2\"}" >"$RIG_DIR/set"
}

written() {
    rig_api GET /v1/sessions | jq '[.items[] | select(.portal_group == 1) | .written] | add // 0'
}

written_more_than() {
    [ "$(written)" -gt "$1" ]
}

# ---- the last way ----

by "$RIG_PORT" a "$RIG_IQN" 1
! set_state 1 standby 2>/dev/null || fail "the last session's way is closed"
jq -e '.status == 409 and .pointer == "/state"' "$RIG_DIR/set" >/dev/null || fail "refused with $(cat "$RIG_DIR/set")"
by "$second" b "$RIG_IQN" 1
states a "000001 000002"

# ---- under I/O ----

qemu-img bench -w -n -c 1000000000 -d 8 -s 4096 --image-opts \
    "driver=iscsi,transport=tcp,portal=127.0.0.1:$second,target=$RIG_NAME,lun=2,initiator-name=$RIG_IQN2" \
    >"$RIG_DIR/guest" 2>&1 &
guest=$!
cleanup_fn eval "kill -KILL $guest 2>/dev/null"

for _ in $(seq "$ROUNDS"); do
    before=$(written)
    # shellcheck disable=SC2154 # of ask.sh
    echo "fill 0 500000" >&"${to[a]}"
    eventually "session a writes nothing" written_more_than "$before"
    set_state 1 standby
    stood=$(written)
    hear a
    case $(said) in
    "$TRANSITION") told a $CHANGED ;; # it came while the others were waited for
    "$CHANGED") ;;
    *) fail "the write through a group in standby is answered $answer" ;;
    esac
    told a $STANDBY
    [ "$(written)" = "$stood" ] || fail "something was written through a group in standby"
    told b $CHANGED
    good b none 000000000000
    states b "020001 000002"
    states a "020001 000002"
    good a in 96 120000006000
    set_state 1 active/optimized
    told a $CHANGED
    good a none 000000000000
    told b $CHANGED
done
kill -0 "$guest" || { cat "$RIG_DIR/guest"; fail "the other group's I/O had an error"; }

# ---- after a restart ----

set_state 1 unavailable
set_state 2 active/non-optimized
rig_api PATCH /v1/portal-groups/2 '{"preferred":true}' >/dev/null
kill -KILL "$guest"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the stop ends with $RIG_RC"
rig_start
by "$RIG_PORT" c "$RIG_IQN" 1
told c $UNAVAILABLE
by "$second" d "$RIG_IQN" 1
states d "030001 810002"
rig_api GET /v1/portal-groups | jq -c '[.items[] | [.tag, .state, .preferred, .sessions]]' >"$RIG_DIR/groups"
[ "$(cat "$RIG_DIR/groups")" = '[[1,"unavailable",false,1],[2,"active/non-optimized",true,1]]' ] ||
    fail "the groups are $(cat "$RIG_DIR/groups")"
echo "$ROUNDS changes to standby under I/O, and a restart"
