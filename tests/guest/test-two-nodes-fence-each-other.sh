#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two guests share a LUN and fence by persistent reservations, with the commands of Pacemaker's fence_scsi. While
# one of them writes, the other preempts and aborts it: its writes fail from then on, none of them arrives late, it
# may still read, and it is let in again when it registers again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$here/../lib/rig.sh"
# shellcheck source=tests/guest/initiator.sh
. "$here/initiator.sh"
initiator_requires

# on NODE LINE: waits until that guest has said it.
on() {
    initiator_on "$1"
    initiator_expect "$2"
}

# tell NODE WORD
tell() {
    initiator_on "$1"
    initiator_tell "$2"
}

rig_init
RIG_FLAGS+=("${INITIATOR_FLAGS[@]}")
rig_start
rig_volume v 128MiB 1
initiator_boot fence 400
initiator_on two
initiator_boot fence 400 "" "$RIG_IQN2"
on one joined
on two joined
tell one go
tell two go
# It writes when it is fenced.
[ "$RIG_TARGET" = tgt ] || initiator_writes $((4 << 20))
tell one fence
on two "writes fail"
on one "two is fenced"
tell one check
on one "nothing came late"
tell two again
on two "joined again"
tell two end
initiator_end
tell one end
initiator_end
