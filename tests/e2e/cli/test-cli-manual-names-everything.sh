#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: the manual pages are sound, and name every verb and flag of ashlarctl and every key of
# ashlard, as the programs themselves list them.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires mandoc col
requires_ashlar
rig_init
. "$(dirname "$0")/lib.sh"
man=$RIG_ROOT/packaging/man

for page in ashlarctl.1 ashlard.8 ashlard.conf.5; do
    # Whether the pages that it refers to are installed is not the page's fault.
    mandoc -Tlint "$man/$page" | grep -v 'referenced manual not found' >"$RIG_DIR/lint" || true
    [ ! -s "$RIG_DIR/lint" ] || { cat "$RIG_DIR/lint"; fail "$page: mandoc complains"; }
    mandoc -Tascii "$man/$page" | col -bx | tr -s ' \n' ' ' >"$RIG_DIR/$page"
done

# names PAGE TEXT
names() {
    grep -qE -- "[ [(]$2(\$|[^a-z-])" "$RIG_DIR/$1" || fail "$1 does not name $2"
}

flags() {
    sed -n 's/^  \(--[a-z-]*\).*/\1/p' "$RIG_DIR/out"
}

count=0
for resource in pool device volume snapshot trash host initiator auth mapping session drain portal-group job event token catalog audit apply \
    status; do
    cli_plain 0 $resource --help
    mapfile -t verbs < <(sed -n '/^verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$RIG_DIR/out")
    for verb in "${verbs[@]}"; do
        names ashlarctl.1 "$resource $verb"
        cli_plain 0 $resource "$verb" --help
        for flag in $(flags); do
            names ashlarctl.1 "$flag"
            count=$((count + 1))
        done
    done
done
[ $count -gt 50 ] || fail "only $count flags seen"

"$RIG_ASHLARD" --help >"$RIG_DIR/out"
count=0
for flag in $(flags); do
    names ashlard.8 "$flag"
    case $flag in --config | --restore-catalog | --accept-older-catalog | --help | --version) continue ;; esac
    names ashlard.conf.5 "${flag#--} ="
    grep -qE "^#${flag#--} = " "$RIG_ROOT/packaging/ashlard.conf.example" || fail "the example lacks $flag"
    count=$((count + 1))
done
[ $count -ge 10 ] || fail "only $count keys seen"
