#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A thin disk under the Linux kernel's own initiator: deleted files after fstrim, blkdiscard and blkdiscard -z
# give their space back, and what they took reads zeros. The volume is made larger while a file system on it
# is mounted: the kernel has its unit attention, a rescan shows the size, and the file system grows into it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$here/../lib/rig.sh"
# shellcheck source=tests/guest/initiator.sh
. "$here/initiator.sh"
# shellcheck source=tests/e2e/lun.sh
. "$here/../e2e/lun.sh"
initiator_requires
MiB=1048576

rig_init
RIG_FLAGS+=("${INITIATOR_FLAGS[@]}")
rig_start
rig_volume v 32MiB 1

# used_within LEAST MOST: once what is under way in the background has ended.
used_within() {
    for _ in $(seq 300); do
        used=$(of /v1/pools/p .used)
        [ "$used" -lt "$1" ] || [ "$used" -gt "$2" ] || return 0
        sleep 0.1
    done
    fail "$used bytes are in use, not $1 to $2"
}

initiator_boot thin 360
initiator_expect written
used_within $((9 * MiB)) $((20 * MiB))
written=$used
initiator_tell next
initiator_expect trimmed
used_within $((3 * MiB)) $((written - 5 * MiB))
trimmed=$used
initiator_tell next
initiator_expect discarded
used_becomes 0
initiator_tell next
initiator_expect refilled
used_becomes $((8 * MiB))
initiator_tell next
initiator_expect zeroed
used_becomes $((4 * MiB))
initiator_tell next
initiator_expect small
ctl volume change v --size 64MiB
initiator_tell next
initiator_expect "blocks=$((64 * MiB / 512))"
initiator_expect used
used_within $((33 * MiB)) $((50 * MiB))
initiator_tell next
initiator_end
echo "fstrim $written to $trimmed bytes, blkdiscard to 0, -z half of 8 MiB; grown from 32 to 64 MiB"
