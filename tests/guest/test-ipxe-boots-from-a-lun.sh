#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A machine without a disk boots from a LUN: QEMU's network card has iPXE in its ROM, which logs in and
# hands the LUN to the firmware as a disk; the sector that it starts there reads another one, whose text is
# made for this run. When the LUN is not mapped to that initiator, it does not boot.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$here/../lib/rig.sh"
# shellcheck source=tests/guest/ipxe.sh
. "$here/ipxe.sh"
# shellcheck source=tests/e2e/lun.sh
. "$here/../e2e/lun.sh"
requires qemu-system-x86_64 qemu-img as ld iscsi-ls
requires_ashlar
hex=1f # the LUN's number

rig_init
rig_start
rig_volume boot 64MiB $((16#$hex))
token=$RANDOM$RANDOM
ipxe_disk "$RIG_DIR/disk.img" "$token"
qemu-img convert -n -f raw --target-image-opts "$RIG_DIR/disk.img" "$(lun $((16#$hex)))"

ipxe_boot "$RIG_DIR/console" "$RIG_PORT" $hex
[ "$(guest_value "$RIG_DIR/console" token)" = "$token" ] || fail "not what was written for this run"
rig_ctl mapping delete boot/h1 >/dev/null
! ipxe_boot "$RIG_DIR/unmapped" "$RIG_PORT" $hex 2>"$RIG_DIR/why" || fail "it boots from a LUN that is not mapped"
grep -q "nothing to boot" "$RIG_DIR/unmapped" || fail "it failed for another reason: $(cat "$RIG_DIR/why")"
echo "booted from LUN 0x$hex, token $token; not without the mapping"
