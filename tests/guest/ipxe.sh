# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A machine without a disk whose network card has iPXE in its ROM. Source it after tests/lib/rig.sh.

# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
GUEST_CACHE=${GUEST_CACHE:-$RIG_ROOT/var/cache}

# ipxe_disk FILE TOKEN: a disk of two sectors that matter, what the firmware starts and the text that it shows.
ipxe_disk() {
    as --32 -o "$RIG_DIR/boot.o" "$GUEST_DIR/boot-sector.S"
    ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$1" "$RIG_DIR/boot.o"
    printf '\r\nASHLAR-GUEST: token=%s\r\n%s\r\n\0' "$2" "$GUEST_PASS" >>"$1"
    truncate -s 1M "$1"
}

# ipxe_boot CONSOLE PORT LUN: iPXE has its script from QEMU's DHCP and TFTP. LUN as iPXE wants it, in
# hexadecimal. When the script goes on after sanboot, there was nothing to boot from.
ipxe_boot() {
    mkdir -p "$RIG_DIR/tftp"
    cat >"$RIG_DIR/tftp/boot.ipxe" <<SCRIPT
#!ipxe
set initiator-iqn $RIG_IQN
sanboot iscsi:10.0.2.2::$2:$3:$RIG_NAME || echo $GUEST_FAIL: nothing to boot from .
reboot
SCRIPT
    guest_run "$1" 120 -machine pc,graphics=off -boot n \
        -netdev "user,id=net,tftp=$RIG_DIR/tftp,bootfile=boot.ipxe" -device virtio-net-pci,netdev=net
}
