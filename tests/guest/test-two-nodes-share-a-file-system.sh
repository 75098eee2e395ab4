#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two guests mount OCFS2 on one LUN at once: each reads what the other has written, and of a counter that both raise
# under one lock no step is lost. One leaves, comes back, and finds everything.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$here/../lib/rig.sh"
# shellcheck source=tests/guest/initiator.sh
. "$here/initiator.sh"
initiator_requires

# both WORD LINE: tells both, then waits until both have said it.
both() {
    local node
    for node in one two; do
        initiator_on $node
        initiator_tell "$1"
    done
    for node in one two; do
        initiator_on $node
        initiator_expect "$2"
    done
}

rig_init
RIG_FLAGS+=("${INITIATOR_FLAGS[@]}")
rig_start
rig_volume v 256MiB 1
one=$(rig_free_port) two=$(rig_free_port)
initiator_link 1 "$one" "$two"
initiator_boot cluster 450
initiator_expect made
initiator_on two
initiator_link 2 "$two" "$one"
initiator_boot cluster 450 "" "$RIG_IQN2"
initiator_expect there
initiator_on one
initiator_tell mount
initiator_expect mounted
initiator_on two
initiator_tell mount
initiator_expect mounted
both write written
both read read
both leave left
for node in one two; do
    initiator_on $node
    initiator_tell end
    initiator_end
done
