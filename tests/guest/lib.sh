# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A real paravirtual guest: one of Debian's kernels in QEMU with an initramfs of our own. Source it.
#
# What the guest does is a script of its own (guest-disk.sh, guest-smoke.sh, guest-initiator.sh); it is
# judged by the lines that it writes to the serial console. Nothing is installed on the host, nothing
# needs root, and the guest has no network but what its script sets up inside.
#
# Set by the caller: GUEST_CACHE, the directory that keeps kernels and unpacked packages between runs.

GUEST_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
GUEST_PASS="ASHLAR-GUEST: PASS"
GUEST_FAIL="ASHLAR-GUEST: FAIL"
# Where an initiator's programs come from: unpacked, for on the host they would be services.
GUEST_INITIATOR_PACKAGES="open-iscsi libopeniscsiusr libisns0 libkmod2 multipath-tools liburcu8
    udev dmsetup libdevmapper1.02.1 libaio1 libcap2"
# And those of a cluster's file system.
GUEST_CLUSTER_PACKAGES="ocfs2-tools libcmap4 libcorosync-common4 libdlm3 libqb100"

# guest_flavour cloud|generic: which kernel boots, which of its modules are loaded, and which are there too.
guest_flavour() {
    GUEST_MODULES_MORE=
    case $1 in
    cloud)
        GUEST_META=linux-image-cloud-amd64
        GUEST_KERNEL=kernel
        GUEST_MODULES="virtio_blk virtio_pci virtio_net"
        ;;
    generic)
        GUEST_META=linux-image-amd64
        GUEST_KERNEL="kernel-generic"
        GUEST_MODULES="virtio_pci virtio_net crc32c_generic iscsi_tcp sd_mod ext4 dm_multipath dm_service_time
            scsi_dh_alua"
        GUEST_MODULES_MORE="ocfs2 ocfs2_stack_o2cb"
        ;;
    esac
}
[ -n "${GUEST_KERNEL:-}" ] || guest_flavour cloud

guest_fail() {
    echo "guest: $*" >&2
    return 1
}

# guest_kept NAME FOR COMMAND...: prints the cache's directory NAME. If it is not there, or was made for
# something else than FOR, the command makes it, in an empty directory. Several may call at once.
guest_kept() {
    local cache=${GUEST_CACHE:?} name=$1 for=$2
    shift 2
    mkdir -p "$cache"
    (
        flock 9
        ! guest_keeps "$name" "$for" || exit 0
        rm -rf "$cache/$name.new" && mkdir -p "$cache/$name.new" && cd "$cache/$name.new" || exit 1
        "$@" >&2 && echo "$for" >made-for || exit 1
        rm -rf "${cache:?}/$name" && mv "$cache/$name.new" "$cache/$name"
    ) 9>"$cache/$name.lock" || return 1
    echo "$cache/$name"
}

guest_keeps() {
    [ "$(cat "$GUEST_CACHE/$1/made-for" 2>/dev/null)" = "$2" ]
}

# guest_unpack PACKAGE...: downloads them and unpacks them all to ./tree. Needs apt's lists.
guest_unpack() {
    local deb
    # apt warns that its own user cannot write here; that is no error.
    apt-get -q download "$@" >apt.log 2>&1 || { cat apt.log; guest_fail "cannot download $*"; } || return 1
    for deb in ./*.deb; do
        dpkg-deb -x "$deb" tree || guest_fail "cannot unpack $deb" || return 1
    done
    rm -f ./*.deb
}

# guest_kernel: prints the directory of the unpacked kernel; fetches it if the cache has none.
guest_kernel() {
    guest_kept "$GUEST_KERNEL" "$(guest_modules)" guest_kernel_get
}

guest_modules() {
    echo "$GUEST_MODULES${GUEST_MODULES_MORE:+ $GUEST_MODULES_MORE}"
}

# The real package behind Debian's name for "the kernel of this release".
guest_kernel_get() {
    local package
    package=$(apt-cache depends "$GUEST_META" 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-[0-9].*-amd64\)$/\1/p' | head -n 1)
    [ -n "$package" ] || guest_fail "apt knows no $GUEST_META (run apt-get update)" || return 1
    guest_unpack "$package" && guest_kernel_pick
}

# From the unpacked package in ./tree keeps the kernel and the few modules that the guest loads.
guest_kernel_pick() {
    local name file picked=" " queue=()
    cp tree/boot/vmlinuz-* vmlinuz || return 1
    basename "$(echo tree/lib/modules/*)" >version
    mkdir modules
    read -rd '' -a queue <<<"$(guest_modules)"
    while [ ${#queue[@]} -gt 0 ]; do
        name=${queue[0]}
        queue=("${queue[@]:1}")
        case $picked in *" $name "*) continue ;; esac
        picked="$picked$name "
        # A file's name may have - where the module's has _.
        file=$(find tree/lib/modules -name "${name//_/[-_]}.ko")
        [ -n "$file" ] || guest_fail "the kernel package has no module $name" || return 1
        cp "$file" modules/
        mapfile -t -O ${#queue[@]} queue < <(guest_module_needs "$file")
    done
    rm -rf tree
}

# guest_initiator_packages: prints the directory whose ./tree has them.
guest_initiator_packages() {
    # shellcheck disable=SC2086 # a list of words
    guest_kept initiator "$GUEST_INITIATOR_PACKAGES" guest_unpack $GUEST_INITIATOR_PACKAGES
}

guest_cluster_packages() {
    # shellcheck disable=SC2086 # a list of words
    guest_kept cluster "$GUEST_CLUSTER_PACKAGES" guest_unpack $GUEST_CLUSTER_PACKAGES
}

# Debian's names for what the tests' guests want and the cache does not have, one a line.
guest_missing() {
    local flavour
    for flavour in generic cloud; do
        guest_flavour $flavour
        guest_keeps "$GUEST_KERNEL" "$(guest_modules)" || echo "$GUEST_META"
    done
    # shellcheck disable=SC2086 # a list of words
    guest_keeps initiator "$GUEST_INITIATOR_PACKAGES" || printf '%s\n' $GUEST_INITIATOR_PACKAGES
    # shellcheck disable=SC2086 # a list of words
    guest_keeps cluster "$GUEST_CLUSTER_PACKAGES" || printf '%s\n' $GUEST_CLUSTER_PACKAGES
}

# Fetches all of that.
guest_fetch() {
    local flavour
    for flavour in generic cloud; do
        guest_flavour $flavour
        guest_kernel || return 1
    done
    guest_initiator_packages && guest_cluster_packages
}

# The modules that a module depends on, one a line: its NUL-ended record `depends=a,b`.
guest_module_needs() {
    tr '\0' '\n' <"$1" | sed -n 's/^depends=//p' | tr ',' '\n' | sed '/^$/d'
}

# guest_add TREE PROGRAM...: copies programs, and the libraries that they are linked with.
guest_add() {
    local tree=$1 program path
    shift
    for program in "$@"; do
        path=$(PATH=$PATH:/usr/sbin:/sbin command -v "$program") ||
            guest_fail "no program $program" || return 1
        install -D -m 755 "$path" "$tree/usr/bin/$(basename "$path")" || return 1
        guest_add_needed "$tree" "$path" || return 1
    done
}

# guest_add_library TREE FILE: a library that a program loads by itself, at its own place.
guest_add_library() {
    install -D -m 755 "$2" "$1$2" && guest_add_needed "$1" "$2"
}

# Libraries of an unpacked package (GUEST_UNPACKED) go to their place in that package.
guest_add_needed() {
    local lib place
    while read -r lib; do
        place=$1${lib#"${GUEST_UNPACKED:-}"}
        [ -e "$place" ] || install -D -m 755 "$lib" "$place" || return 1
    done < <(ldd "$2" | sed -n 's,^[^/]*\(/[^ ]*\) (0x.*,\1,p')
}

# guest_initramfs OUT SCRIPT TREE: packs TREE (may hold programs from guest_add already) with
# busybox, the modules, our init and the script that it runs.
guest_initramfs() {
    local out=$1 script=$2 tree=$3 kernel version
    kernel=$(guest_kernel) || return 1
    version=$(cat "$kernel/version")
    mkdir -p "$tree"/{bin,dev,proc,sys,tmp,run,mnt,etc,lib/modules/"$version"}
    cp "$kernel"/modules/*.ko "$tree/lib/modules/$version/"
    install -m 755 "$(command -v busybox)" "$tree/bin/busybox"
    install -m 755 "$GUEST_DIR/guest-init.sh" "$tree/init"
    install -m 755 "$script" "$tree/guest-main.sh"
    # shellcheck disable=SC2086 # a list of words
    echo $GUEST_MODULES >"$tree/etc/guest-modules"
    (cd "$tree" && find . | cpio --quiet -o -H newc --owner 0:0 | gzip -1) >"$out.new" &&
        mv "$out.new" "$out"
}

# guest_fresh INITRAMFS: it was made since the scripts here and what they pack last changed.
guest_fresh() {
    [ -e "$1" ] && [ -z "$(find "$GUEST_DIR" "$GUEST_CACHE"/*/made-for -maxdepth 1 -newer "$1" -print -quit)" ]
}

# guest_disk_image: prints the initramfs of guest-disk.sh, the same for every boot.
guest_disk_image() {
    local image=$GUEST_CACHE/disk.cpio.gz tree rc=0
    guest_kernel >/dev/null || return 1
    guest_fresh "$image" || {
        tree=$(mktemp -d) || return 1
        { guest_add "$tree" mke2fs && guest_initramfs "$image" "$GUEST_DIR/guest-disk.sh" "$tree"; } >&2 || rc=1
        rm -rf "$tree"
    }
    [ $rc = 0 ] && echo "$image"
}

# Which accelerator to use: kvm only if it really runs a guest here, else tcg. Asked once a cache.
guest_accel() {
    local cache=${GUEST_CACHE:?} kernel verdict=tcg console
    if [ -e "$cache/accel" ]; then
        cat "$cache/accel"
        return 0
    fi
    if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
        kernel=$(guest_kernel) || return 1
        console=$(mktemp)
        # No initramfs: a kernel that runs says so within a second or two, and panics.
        timeout --foreground 5 qemu-system-x86_64 -accel kvm -m 256 -nodefaults -no-user-config -display none \
            -no-reboot -serial "file:$console" -kernel "$kernel/vmlinuz" \
            -append "console=ttyS0 panic=-1" >/dev/null 2>&1 &&
            grep -q 'Kernel panic' "$console" && verdict=kvm
        rm -f "$console"
    fi
    echo "$verdict" | tee "$cache/accel"
}

# guest_boot CONSOLE INITRAMFS SECONDS APPEND QEMU-ARGUMENTS...: runs the guest to its end.
# 0: it said PASS. The console is kept in the file CONSOLE.
guest_boot() {
    local console=$1 initramfs=$2 seconds=$3 append=$4 kernel
    shift 4
    kernel=$(guest_kernel) || return 1
    guest_run "$console" "$seconds" -kernel "$kernel/vmlinuz" -initrd "$initramfs" \
        -append "console=ttyS0 quiet panic=-1 $append" "$@"
}

# guest_run CONSOLE SECONDS QEMU-ARGUMENTS...: the same for a machine that boots in its own way.
guest_run() {
    local console=$1 seconds=$2 accel rc=0
    shift 2
    accel=$(guest_accel) || return 1
    [ "$accel" = tcg ] && accel=tcg,thread=multi
    : >"$console"
    timeout --foreground --kill-after=5 "$seconds" qemu-system-x86_64 -accel "$accel" -smp 2 -m "${GUEST_MEM:-256}" \
        -nodefaults -no-user-config -display none -no-reboot -serial "file:$console" "$@" </dev/null || rc=$?
    if [ $rc = 124 ] || [ $rc = 137 ]; then
        guest_explain "$console" "did not end within $seconds s"
        return 1
    fi
    if [ $rc != 0 ]; then
        guest_explain "$console" "qemu-system-x86_64 ended with $rc"
        return 1
    fi
    if ! grep -q "^$GUEST_PASS" "$console" || grep -q "^$GUEST_FAIL" "$console"; then
        guest_explain "$console" "did not pass"
        return 1
    fi
}

guest_explain() {
    echo "guest: $2; the end of its console ($1):" >&2
    tail -n 25 "$1" | sed 's/^/    /' >&2
}

# guest_value CONSOLE KEY: the value of the line `ASHLAR-GUEST: KEY=VALUE`.
guest_value() {
    tr -d '\r' <"$1" | sed -n "s/^ASHLAR-GUEST: $2=//p" | tail -n 1
}
