# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the acceptance scripts: claims with a figure and a bound, and bare Debian 12 machines to make
# them on. A script runs in a fresh clone of HEAD, with ACCEPT_SCRATCH to write in. Source it.

ACCEPT_NAME=$(basename "$0")
ACCEPT_FAILED=0

# result CLAIM FIGURE BOUND 0|1: one line; 0 in the last place is a pass.
result() {
    local verdict=PASS
    if [ "$4" != 0 ]; then
        verdict=FAIL
        ACCEPT_FAILED=1
    fi
    printf '%s  %s: %s; figure: %s; bound: %s\n' "$verdict" "$ACCEPT_NAME" "$1" "$2" "$3"
}

# at_most FIGURE BOUND: for the last argument of result.
at_most() {
    if [ "$1" -le "$2" ]; then echo 0; else echo 1; fi
}

accept_end() {
    exit "$ACCEPT_FAILED"
}

# --- a bare machine: Debian 12 with nothing but git, sudo and apt, in a chroot ---
# Root only. It runs in mount and process namespaces of its own, which take every mount and every
# process with them when the command ends; the network is the machine's.

bare_tarball() {
    local tarball=$ACCEPT_SCRATCH/bare.tar dir=$ACCEPT_SCRATCH/bare.new
    if [ ! -e "$tarball" ]; then
        timeout 900 debootstrap --variant=minbase --include=git,sudo,ca-certificates bookworm "$dir" \
            http://deb.debian.org/debian >"$ACCEPT_SCRATCH/debootstrap.log" 2>&1 ||
            { tail -n 20 "$ACCEPT_SCRATCH/debootstrap.log" >&2; return 1; }
        bare_apt_like_here "$dir"
        tar -C "$dir" -cf "$tarball.new" . && mv "$tarball.new" "$tarball"
        rm -rf "$dir"
    fi
    echo "$tarball"
}

# The same mirrors, and the same ways to them, as this machine's apt; none of its hooks.
bare_apt_like_here() {
    local dir=$1 file
    for file in /etc/apt/apt.conf /etc/apt/apt.conf.d/*; do
        if [ -e "$file" ] && grep -q '^ *Acquire::' "$file" && ! grep -q 'Invoke\|Install-Pkgs' "$file"; then
            cp "$file" "$dir/etc/apt/apt.conf.d/"
        fi
    done
    [ ! -e /etc/apt/sources.list.d/debian.sources ] || {
        : >"$dir/etc/apt/sources.list"
        cp /etc/apt/sources.list.d/debian.sources "$dir/etc/apt/sources.list.d/"
    }
    [ -e /etc/apt/sources.list.d/debian.sources ] || cp /etc/apt/sources.list "$dir/etc/apt/sources.list"
    cp -L /etc/resolv.conf /etc/hosts "$dir/etc/"
    # Where this machine is told to trust others than Debian does, its way out may need that.
    [ ! -d /usr/local/share/ca-certificates ] ||
        cp -rL /usr/local/share/ca-certificates/. "$dir/usr/local/share/ca-certificates/"
    chroot "$dir" update-ca-certificates >/dev/null 2>&1
}

# bare_make DIR: a new bare machine with a user `tester` who may sudo, and this clone's repository as
# /srv/ashlar.git for it to clone.
bare_make() {
    local dir=$1 tarball
    tarball=$(bare_tarball) || return 1
    mkdir -p "$dir" && tar -C "$dir" -xf "$tarball" || return 1
    git clone -q --bare . "$dir/srv/ashlar.git" || return 1
    chmod -R a+rX "$dir/srv/ashlar.git"
    bare_run "$dir" root 120 'useradd -m -s /bin/bash tester &&
        echo "tester ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/tester &&
        git config --system --add safe.directory "*" &&
        grep -q "$(hostname)" /etc/hosts || echo "127.0.0.1 $(hostname)" >>/etc/hosts'
}

# bare_run DIR USER SECONDS COMMAND: runs it there, without a terminal.
bare_run() {
    local dir=$1 user=$2 seconds=$3 command=$4
    # shellcheck disable=SC2016 # expanded by the inner shell
    timeout --kill-after=20 "$seconds" unshare --mount --pid --fork --kill-child bash -c '
        set -e
        mount --make-rprivate /
        mount -t proc proc "$1/proc"
        mount -t sysfs -o ro sysfs "$1/sys"
        mount --rbind /dev "$1/dev"
        mount -t tmpfs tmpfs "$1/dev/shm"
        mount -t tmpfs tmpfs "$1/tmp"
        exec chroot "$1" /usr/bin/env -i TERM=dumb LANG=C.UTF-8 \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            su - "$2" -c "$3"' _ "$dir" "$user" "$command" </dev/null
}

# Programs of ours that still run there: to be appended to a command of bare_run.
BARE_LEFTOVER='
    for c in /proc/[0-9]*/comm; do
        read -r name <"$c" 2>/dev/null || continue
        case $name in ashlard | qemu-system-x86 | tgtd) echo "LEFT RUNNING: $name" ;; esac
    done'

bare_remove() {
    rm -rf --one-file-system "$1"
}
