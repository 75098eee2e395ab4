# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# Which Debian packages building, proving and testing need, and how they are installed: only what is
# missing, named with its size, asked first, without recommends. Source it after common.sh.

# Node and npm are asked for as commands: a machine that has others than Debian's keeps them, for Debian's
# packages would not go with those.
packages_node() {
    command -v node >/dev/null || echo nodejs
    command -v npm >/dev/null || echo npm
}

PACKAGES_BUILD="gcc libc6-dev cmake ninja-build pkgconf libevent-dev libssl-dev libsqlite3-dev
    libjansson-dev liburing-dev libinih-dev libcurl4-openssl-dev libsystemd-dev
    python3 python3-yaml"
# The guest and what drives it. qemu-block-extra has QEMU's iscsi driver.
PACKAGES_PROOF="qemu-system-x86 qemu-block-extra busybox-static cpio e2fsprogs curl ca-certificates jq"
# sg3-utils: 1 MB, 3 MB installed, and ddpt: 0.3 MB; programs for the guest that is an initiator. istgt and nbdkit (6 and 2 MB
# installed) are what tests/bench/compare puts beside us, valgrind (80 MB) is tests/bench/instructions'.
PACKAGES_TEST="git clang libclang-rt-14-dev clang-format clang-tidy cppcheck codespell shellcheck
    ccache libcmocka-dev libiscsi-dev libiscsi-bin qemu-utils fuse3 ipxe-qemu tgt istgt nbdkit fio valgrind sg3-utils ddpt sqlite3 python3
    mandoc bsdextrautils procps psmisc $(packages_node)"

# Prints those of the arguments that are not installed.
packages_missing() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            echo "$package"
    done
}

packages_known() {
    [ -z "$(apt-cache policy "$@" 2>/dev/null | grep -E 'Candidate: \(none\)')" ] &&
        [ "$(apt-cache policy "$@" 2>/dev/null | grep -c 'Candidate: ')" = $# ]
}

packages_update() {
    step "Fetching Debian's package lists" "$1" as_root apt-get -q update ||
        die "cannot fetch the package lists: is this machine online?"
}

# Prints apt's own two lines: what it would download, and what space that takes.
packages_size() {
    LC_ALL=C apt-get -o Debug::NoLocking=1 --assume-no --no-install-recommends install "$@" 2>/dev/null |
        sed -n -e 's/^Need to get .*/  &/p' -e 's/^After this operation.*/  &/p'
}

# packages_install YES LOG EXTRA PACKAGE...: installs what is missing. YES=1: without asking, as
# without a terminal. EXTRA are packages that are only downloaded later, so apt must know them; may be ''.
packages_install() {
    local yes=$1 log=$2 extra=$3 missing answer
    shift 3
    [ -x /usr/bin/apt-get ] ||
        die "this needs Debian's apt; on another system install what scripts/packages.sh lists"
    mapfile -t missing < <(packages_missing "$@")
    if [ ${#missing[@]} = 0 ]; then
        # shellcheck disable=SC2086 # a list of words
        [ -z "$extra" ] || packages_known $extra || packages_update "$log"
        return 0
    fi
    # Here, where a password can still be typed: the steps themselves run without a terminal.
    as_root true || die "sudo refused"
    # Lists of another day name packages that the mirror has replaced.
    packages_update "$log"
    say "Missing Debian packages (${#missing[@]}), installed with what they depend on, without recommends:"
    printf '%s\n' "${missing[*]}" | fold -s -w 90 | sed 's/^/  /'
    packages_size "${missing[@]}"
    if [ "$yes" != 1 ] && [ -t 0 ]; then
        read -r -p "Install them? [Y/n] " answer
        case $answer in '' | y | Y | yes) ;; *) die "nothing was installed" ;; esac
    fi
    packages_get "$log" "${missing[@]}" || die "the packages could not be installed"
}

packages_get() {
    local log=$1
    shift
    step "Installing packages" "$log" as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
        apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 --no-install-recommends install "$@"
}
