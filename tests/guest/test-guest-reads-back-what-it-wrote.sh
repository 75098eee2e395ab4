#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A paravirtual guest whose disk is a LUN makes a file system, writes files and powers off; the
# daemon is restarted; a second boot finds every file as it was written.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$here/../lib/rig.sh"
requires qemu-system-x86_64 busybox cpio mke2fs iscsi-ls

rig_init
rig_start
rig_volume guest 8GiB 1
url=$(rig_url 1)
"$here/disk-boot.sh" write --disk "$url" --initiator "$RIG_IQN" --state "$RIG_DIR"
rig_stop
[ "$RIG_TARGET" = tgt ] || [ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
rig_start
"$here/disk-boot.sh" verify --disk "$url" --initiator "$RIG_IQN" --state "$RIG_DIR"
