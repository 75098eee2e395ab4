#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# While the Linux kernel's initiator writes and verifies, its portal is drained: it logs out when it is asked,
# goes where its login is sent, comes back to its own portal when that one is drained, and waits out a drain
# that sends it nowhere. Nobody is dropped, and no error reaches the program.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$here/../lib/rig.sh"
# shellcheck source=tests/guest/initiator.sh
. "$here/initiator.sh"
initiator_requires

rig_init
second=$(rig_free_port)
RIG_FLAGS+=("${INITIATOR_FLAGS[@]}" --portal "127.0.0.1:$second")
rig_start
rig_volume v 512MiB 1

# become PORT...: waits until the sessions are at these ports.
become() {
    local seen
    for _ in $(seq 600); do
        seen=$(initiator_sessions '[.items[] | select(.type == "normal") | .portal | split(":")[1]] | join(" ")')
        [ "$seen" != "$*" ] || return 0
        sleep 0.1
    done
    fail "the sessions are at: $seen; not at: $*"
}

# drain PORT FLAG...: its number is in id.
drain() {
    id=$(rig_ctl drain create --portal "127.0.0.1:$1" --logout-timeout 60 "${@:2}" --json | jq -r .id)
}

undrain() {
    rig_ctl drain show "$id" --json >"$RIG_DIR/drain"
    jq -e '.asked == 1 and .dropped == 0 and .sessions == 0' "$RIG_DIR/drain" >/dev/null ||
        fail "the drain went otherwise: $(cat "$RIG_DIR/drain")"
    rig_ctl drain delete "$id" >/dev/null
}

turned_away() {
    for _ in $(seq 600); do
        [ "$(rig_ctl drain show "$id" --json | jq .turned_away)" = 0 ] || return 0
        sleep 0.1
    done
    fail "it does not try to log in"
}

initiator_boot outlive 240
initiator_rounds 1
initiator_writes 1048576
drain "$RIG_PORT" --redirect "${INITIATOR_NETS[1]}.2:$second"
become "$second"
turned_away
undrain
drain "$second"
become "$RIG_PORT"
undrain
initiator_rounds 1
initiator_writes 1048576
drain "$RIG_PORT"
become
turned_away
undrain
become "$RIG_PORT"
initiator_rounds 2
initiator_tell end
initiator_end
