# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A real paravirtual guest: Debian's cloud kernel in QEMU with an initramfs of our own. Source it.
#
# What the guest does is a script of its own (guest-disk.sh, guest-smoke.sh); it is judged by the
# lines that it writes to the serial console. Nothing is installed on the host, nothing needs root,
# and the guest has no network but what its script sets up inside.
#
# Set by the caller: GUEST_CACHE, the directory that keeps the kernel between runs.

GUEST_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
GUEST_META=linux-image-cloud-amd64
GUEST_MODULES="virtio_blk virtio_pci virtio_net"
GUEST_PASS="ASHLAR-GUEST: PASS"
GUEST_FAIL="ASHLAR-GUEST: FAIL"

guest_fail() {
    echo "guest: $*" >&2
    return 1
}

# The real package behind Debian's name for "the cloud kernel of this release".
guest_kernel_package() {
    apt-cache depends "$GUEST_META" 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-[0-9].*-cloud-amd64\)$/\1/p' | head -n 1
}

# guest_kernel: prints the directory of the unpacked kernel; fetches it if the cache has none.
# Needs apt's lists only then. Several may call it at once.
guest_kernel() {
    local cache=${GUEST_CACHE:?} package
    mkdir -p "$cache"
    (
        flock 9
        if [ -e "$cache/kernel/vmlinuz" ]; then
            exit 0
        fi
        package=$(guest_kernel_package)
        [ -n "$package" ] || guest_fail "apt knows no $GUEST_META (run apt-get update)" || exit 1
        rm -rf "$cache/kernel.new" && mkdir -p "$cache/kernel.new" || exit 1
        cd "$cache/kernel.new" || exit 1
        # apt warns that its own user cannot write here; that is no error.
        apt-get -q download "$package" >apt.log 2>&1 ||
            { cat apt.log >&2; guest_fail "cannot download $package"; } || exit 1
        dpkg-deb -x "$package"_*.deb tree || guest_fail "cannot unpack $package" || exit 1
        guest_kernel_pick
    ) 9>"$cache/kernel.lock" || return 1
    echo "$cache/kernel"
}

# From the unpacked package in ./tree keeps the kernel and the few modules that the guest loads.
guest_kernel_pick() {
    local name file picked=" " queue=()
    cp tree/boot/vmlinuz-* vmlinuz || return 1
    basename "$(echo tree/lib/modules/*)" >version
    mkdir modules
    read -ra queue <<<"$GUEST_MODULES"
    while [ ${#queue[@]} -gt 0 ]; do
        name=${queue[0]}
        queue=("${queue[@]:1}")
        case $picked in *" $name "*) continue ;; esac
        picked="$picked$name "
        file=$(find tree/lib/modules -name "$name.ko")
        [ -n "$file" ] || guest_fail "the kernel package has no module $name" || return 1
        cp "$file" modules/
        mapfile -t -O ${#queue[@]} queue < <(guest_module_needs "$file")
    done
    rm -rf tree ./*.deb
    cd .. && rm -rf kernel && mv kernel.new kernel
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

guest_add_needed() {
    local lib
    while read -r lib; do
        [ -e "$1$lib" ] || install -D -m 755 "$lib" "$1$lib" || return 1
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
    echo "$GUEST_MODULES" >"$tree/etc/guest-modules"
    (cd "$tree" && find . | cpio --quiet -o -H newc --owner 0:0 | gzip -1) >"$out.new" &&
        mv "$out.new" "$out"
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
    local console=$1 initramfs=$2 seconds=$3 append=$4 accel kernel rc=0
    shift 4
    kernel=$(guest_kernel) && accel=$(guest_accel) || return 1
    [ "$accel" = tcg ] && accel=tcg,thread=multi
    : >"$console"
    timeout --foreground --kill-after=5 "$seconds" qemu-system-x86_64 -accel "$accel" -smp 2 -m "${GUEST_MEM:-256}" \
        -nodefaults -no-user-config -display none -no-reboot -serial "file:$console" \
        -kernel "$kernel/vmlinuz" -initrd "$initramfs" \
        -append "console=ttyS0 quiet panic=-1 $append" "$@" </dev/null || rc=$?
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
