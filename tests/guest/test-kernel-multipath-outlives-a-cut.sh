#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Linux kernel's initiator reaches one LUN by two portals, which dm-multipath makes one disk. While it
# writes and verifies there, one path's cable is pulled, then put back: no error reaches the program.
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
rig_volume v 1GiB 1
initiator_boot paths 280 "$second"
initiator_expect "paths=2"
portals=$(initiator_sessions '[.items[] | select(.host == "h1") | .portal] | unique | length')
[ "$portals" = 2 ] || fail "not a session at each portal: $(initiator_sessions .)"
initiator_rounds 1
initiator_writes 1048576
initiator_monitor "set_link nic0 off"
initiator_tell cut
initiator_expect "paths=1"
initiator_rounds 2
initiator_monitor "set_link nic0 on"
initiator_tell mended
initiator_expect "paths=2 again"
initiator_rounds 1
initiator_tell end
initiator_end
