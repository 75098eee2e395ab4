#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Linux kernel's initiator reaches one LUN by two portals of two groups, of which one is less liked:
# dm-multipath finds two priorities. While it writes and verifies, the better group goes to standby and comes
# back: I/O moves to the other path and back, no path is lost, and no error reaches the program.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$here/../lib/rig.sh"
# shellcheck source=tests/guest/initiator.sh
. "$here/initiator.sh"
initiator_requires

rig_init
second=$(rig_free_port)
RIG_FLAGS+=("${INITIATOR_FLAGS[@]}" --portal "127.0.0.1:$second,2")
rig_start
rig_volume v 1GiB 1

# written TAG: bytes that sessions of the group have written.
written() {
    initiator_sessions "[.items[] | select(.portal_group == $1) | .written] | add // 0"
}

# writes TAG BYTES: waits until that much more was written through the group.
writes() {
    local from
    from=$(written "$1")
    until [ "$(written "$1")" -ge $((from + $2)) ]; do
        initiator_alive "it was to write through group $1"
        sleep 0.05
    done
}

rig_ctl portal-group set 2 --state active/non-optimized >/dev/null
initiator_boot alua 360 "$second"
initiator_expect "prios=10 50"
initiator_rounds 1
writes 1 1048576
[ "$(written 2)" = 0 ] || fail "it writes through the group that it is to like less"

rig_ctl portal-group set 1 --state standby >/dev/null
moved=$(written 1)
writes 2 1048576
initiator_tell moved
initiator_expect "prios=1 10"
initiator_rounds 1
[ "$(written 1)" = "$moved" ] || fail "it writes through the group in standby"

rig_ctl portal-group set 1 --state active/optimized >/dev/null
initiator_tell back
initiator_expect "prios=10 50 again"
writes 1 1048576
initiator_rounds 1
initiator_tell end
initiator_end
