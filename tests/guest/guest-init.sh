#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC2013,SC2154
# The guest's first process: devices, the loopback interface, then /guest-main.sh, then power off.
# Runs inside the guest under busybox; never on the host.
/bin/busybox --install -s /bin
export PATH=/usr/bin:/bin:/usr/sbin:/sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
depmod
for module in $(cat /etc/guest-modules); do
    modprobe "$module" || echo "ASHLAR-GUEST: FAIL: cannot load $module"
done
ip link set lo up

# A word ashlar.NAME=VALUE of the kernel's command line is the variable ASHLAR_NAME of the script.
for word in $(cat /proc/cmdline); do
    case $word in
    ashlar.*=*)
        word=${word#ashlar.}
        export "ASHLAR_${word%%=*}=${word#*=}"
        ;;
    esac
done

if /guest-main.sh; then
    echo "ASHLAR-GUEST: PASS"
else
    echo "ASHLAR-GUEST: FAIL: the guest's script ended with $?"
fi
sync
umount -a 2>/dev/null
poweroff -f
