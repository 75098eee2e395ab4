#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sg3_utils under the Linux kernel's initiator have disks copied: sg_xcopy from one LUN to another and inside of one,
# sent to either, held, discarded and disabled list identifiers; the kernel reads what was copied. sg_copy_results
# tells limits, status and failures, sg_vpd the third-party copy page.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$here/../lib/rig.sh"
# shellcheck source=tests/guest/initiator.sh
. "$here/initiator.sh"
initiator_requires

rig_init
RIG_FLAGS+=("${INITIATOR_FLAGS[@]}")
rig_start
rig_volume v 16MiB 1
rig_volume w 16MiB 2
initiator_boot xcopy 360
initiator_end
echo "sg_xcopy copied $(guest_value "$INITIATOR_CONSOLE" copied) blocks"
