#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ddptctl under the Linux kernel's initiator waits for a token of two ranges that is made behind the answer, reads it,
# what is told of it and the tokens of the disk; the kernel reads what was written by it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$here/../lib/rig.sh"
# shellcheck source=tests/guest/initiator.sh
. "$here/initiator.sh"
INITIATOR_PROGRAMS+=" ddptctl"
# shellcheck disable=SC2034 # initiator.sh takes it
INITIATOR_IMAGE=initiator-odx
initiator_requires

rig_init
RIG_FLAGS+=("${INITIATOR_FLAGS[@]}")
rig_start
rig_volume v 16MiB 1
rig_volume w 16MiB 2
initiator_boot odx 360
initiator_end
echo "a token that ddptctl read copied $(guest_value "$INITIATOR_CONSOLE" copied) blocks"
