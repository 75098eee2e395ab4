#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over every source file that the build tree compiles. Usage: tidy.sh ROOT BUILD
#
# A file that was clean is not read again until it, a header or the rules change: its stamp lies in
# BUILD/tidy. The static analyzer, which takes nearly all of the time, looks at what is shipped; at tests
# with ASHLAR_NIGHTLY=1 only.
set -eu
root=$(readlink -f "$1")
build=$2
stamps=$build/tidy
mkdir -p "$stamps"
cd "$root"

# The rules and every header are part of each stamp's name: a change of either starts over.
rules=$({ cat .clang-tidy; find base proto db lunmgr target web tests -name '*.h' -exec cat {} +; } | sha256sum | cut -c1-16)

check_one() {
    local file=$1 checks="" key
    case $file in tests/*) [ "${ASHLAR_NIGHTLY:-0}" = 1 ] || checks='-clang-analyzer-*' ;; esac
    key=$({ echo "$file $checks"; cat "$file"; } | sha256sum | cut -c1-16)
    [ -e "$stamps/$rules-$key" ] && return 0
    # The count of suppressed warnings is noise; findings are on standard output.
    clang-tidy --quiet -p "$build" --checks="$checks" "$file" 2>/dev/null || return 1
    : >"$stamps/$rules-$key"
}
export -f check_one
export stamps rules build

# compile_commands.json is one "file": line an entry, as CMake writes it.
sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$build/compile_commands.json" | sort -u |
    sed "s,^$root/,," | grep -v '^/' |
    xargs -r -P "$(nproc)" -I{} bash -c 'check_one "$1"' _ {}
