#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The daemon is killed with SIGKILL and started again while the Linux kernel's initiator writes and verifies:
# it logs in again, what was answered as durable is there, and no error reaches the program.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$here/../lib/rig.sh"
# shellcheck source=tests/guest/initiator.sh
. "$here/initiator.sh"
initiator_requires

kills=${KILLS:-1}
rig_init
RIG_FLAGS+=("${INITIATOR_FLAGS[@]}")
rig_start
rig_volume v 512MiB 1
initiator_boot outlive $((120 + 40 * kills))
for _ in $(seq "$kills"); do
    initiator_rounds 1
    initiator_writes $((65536 + RANDOM * 128)) # to the middle of a round
    rig_stop KILL
    sleep 2
    rig_start
    initiator_rounds 1
done
[ "$(initiator_sessions '.items | length')" = 1 ] || fail "not one session: $(initiator_sessions .)"
initiator_tell end
initiator_end
cuts=$(guest_value "$INITIATOR_CONSOLE" cuts)
[ "$cuts" -ge "$kills" ] || fail "the initiator noticed $cuts of $kills kills"
