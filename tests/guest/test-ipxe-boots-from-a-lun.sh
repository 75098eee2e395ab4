#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A machine without a disk boots from a LUN: QEMU's network card has iPXE in its ROM, which logs in and
# hands the LUN to the firmware as a disk; the sector that it starts there reads another one, whose text is
# made for this run. When the LUN is not mapped to that initiator, it does not boot.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$here/../lib/rig.sh"
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
requires qemu-system-x86_64 qemu-img as ld iscsi-ls
requires_ashlar
GUEST_CACHE=${GUEST_CACHE:-$RIG_ROOT/var/cache}
lun=1f # iPXE writes LUNs in hexadecimal

# A disk of two sectors that matter: what the firmware starts, and the text that it shows.
make_disk() {
    as --32 -o "$RIG_DIR/boot.o" "$here/boot-sector.S"
    ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$1" "$RIG_DIR/boot.o"
    printf '\r\nASHLAR-GUEST: token=%s\r\n%s\r\n\0' "$2" "$GUEST_PASS" >>"$1"
    truncate -s 1M "$1"
}

# boot CONSOLE: iPXE asks QEMU's DHCP and TFTP for its script. When the script goes on after sanboot,
# there was nothing to boot from.
boot() {
    cat >"$RIG_DIR/tftp/boot.ipxe" <<SCRIPT
#!ipxe
set initiator-iqn $RIG_IQN
sanboot iscsi:10.0.2.2::$RIG_PORT:$lun:$RIG_NAME || echo $GUEST_FAIL: nothing to boot from .
reboot
SCRIPT
    guest_run "$1" 120 -machine pc,graphics=off -boot n \
        -netdev "user,id=net,tftp=$RIG_DIR/tftp,bootfile=boot.ipxe" -device virtio-net-pci,netdev=net
}

rig_init
rig_start
rig_volume boot 64MiB $((16#$lun))
mkdir "$RIG_DIR/tftp"
token=$RANDOM$RANDOM
make_disk "$RIG_DIR/disk.img" "$token"
qemu-img convert -n -f raw --target-image-opts "$RIG_DIR/disk.img" "driver=iscsi,transport=tcp,portal=127.0.0.1:$RIG_PORT,target=$RIG_NAME,lun=$((16#$lun)),initiator-name=$RIG_IQN"

boot "$RIG_DIR/console"
[ "$(guest_value "$RIG_DIR/console" token)" = "$token" ] || fail "not what was written for this run"
rig_ctl mapping delete boot/h1 >/dev/null
! boot "$RIG_DIR/unmapped" 2>"$RIG_DIR/why" || fail "it boots from a LUN that is not mapped"
grep -q "nothing to boot" "$RIG_DIR/unmapped" || fail "it failed for another reason: $(cat "$RIG_DIR/why")"
echo "booted from LUN 0x$lun, token $token; not without the mapping"
