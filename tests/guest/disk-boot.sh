#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Boots the guest once with a disk and lets it write or verify files there. Usage:
#   disk-boot.sh write|verify --disk URL-OR-FILE [--initiator IQN] [--state DIR] [--cache DIR]
# URL: iscsi://ADDRESS:PORT/IQN/LUN, used through QEMU's own initiator. DIR keeps the console and,
# from write to verify, the checksum. Exit 0: the guest said that all is well.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"

mode=${1:-}
case $mode in write | verify) shift ;; *) sed -n '4,6s/^# //p' "$0" >&2; exit 2 ;; esac
disk='' initiator='' state=. seconds=120
GUEST_CACHE=${GUEST_CACHE:-$here/../../var/cache}
while [ $# -gt 1 ]; do
    case $1 in
    --disk) disk=$2 ;;
    --initiator) initiator=$2 ;;
    --state) state=$2 ;;
    --cache) GUEST_CACHE=$2 ;;
    --seconds) seconds=$2 ;;
    *) echo "disk-boot.sh: unknown option $1" >&2; exit 2 ;;
    esac
    shift 2
done
[ -n "$disk" ] || { echo "disk-boot.sh: --disk is missing" >&2; exit 2; }
mkdir -p "$GUEST_CACHE" "$state"
GUEST_CACHE=$(cd "$GUEST_CACHE" && pwd)

initramfs=$(guest_disk_image) || exit 1
append="ashlar.mode=$mode"
if [ "$mode" = verify ]; then
    [ -s "$state/guest.sum" ] || { echo "disk-boot.sh: no checksum of a write in $state" >&2; exit 2; }
    append="$append ashlar.sum=$(cat "$state/guest.sum")"
fi
arguments=(-drive "file=$disk,if=virtio,format=raw,cache=none,discard=unmap")
[ -n "$initiator" ] && arguments+=(-iscsi "initiator-name=$initiator")

console=$state/guest-$mode.console
start=$(date +%s%N)
guest_boot "$console" "$initramfs" "$seconds" "$append" "${arguments[@]}" || exit 1
ms=$((($(date +%s%N) - start) / 1000000))
[ "$mode" = verify ] || guest_value "$console" sum >"$state/guest.sum"
[ -s "$state/guest.sum" ] || { echo "disk-boot.sh: the guest named no checksum" >&2; exit 1; }
[ "$(guest_value "$console" driver)" = virtio_blk ] || { echo "disk-boot.sh: not a virtio disk" >&2; exit 1; }
printf '%s: %s files, checksum %.12s, boot to power-off %d.%d s (%s)\n' "$mode" \
    "$(guest_value "$console" files)" "$(cat "$state/guest.sum")" $((ms / 1000)) $((ms % 1000 / 100)) \
    "$(guest_accel)"
