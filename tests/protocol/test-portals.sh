#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: discovery at any portal tells all, over IPv4 and IPv6, each with its portal group's tag; a login
# and the target port's names have that tag, and an initiator port has one session with each group. What
# only the link or this machine could use is not told to others.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls curl jq
requires_ashlar

link=$(ip -6 -o addr show scope link 2>/dev/null | awk '{ sub("/.*", "", $4); print $4 "%" $2; exit }')
beyond=$(ip -o addr show scope global 2>/dev/null | awk '{ sub("/.*", "", $4); print $4; exit }')
bracketed() {
    case $1 in *:*) echo "[$1]" ;; *) echo "$1" ;; esac
}

RIG_FLAGS=(--portal "[::1]:0,7" --portal "127.0.0.2:0,65535" --portal 127.0.0.3:0)
[ -z "$link" ] || RIG_FLAGS+=(--portal "[$link]:0,9")
rig_init
rig_start
rig_volume v 64MiB 1
rig_api GET /v1 >"$RIG_DIR/box"
port() {
    jq -r --arg host "$1:" '.portals[] | select(startswith($host)) | ltrimstr($host)' "$RIG_DIR/box"
}
timeout 60 "$(rig_bin ashlar-portals)" "$RIG_NAME" "$RIG_IQN" 1 127.0.0.1 "$RIG_PORT" 1 \
    ::1 "$(port '[::1]')" 7 127.0.0.2 "$(port 127.0.0.2)" 65535 127.0.0.3 "$(port 127.0.0.3)" 1 ||
    fail "portals"

# The same from each end by a real initiator, which logs in to every LUN.
told() {
    timeout 20 iscsi-ls -s -i "$RIG_IQN" "iscsi://$1" >"$RIG_DIR/out" 2>&1 || { cat "$RIG_DIR/out"; fail "iscsi-ls $1"; }
}
for at in "127.0.0.1:$RIG_PORT" "[::1]:$(port '[::1]')"; do
    told "$at"
    [ "$(grep -c "^Target:$RIG_NAME Portal:" "$RIG_DIR/out")" = 4 ] || fail "not four portals are told at $at"
    grep -qF "Portal:[::1]:$(port '[::1]'),7" "$RIG_DIR/out" || fail "the IPv6 portal is not told at $at"
    [ "$(grep -c '^Lun:1 .*DIRECT_ACCESS' "$RIG_DIR/out")" = 4 ] || fail "the LUN is not seen through each portal"
done

# By a link-local address, that one is told, as it was asked, and none of loopback.
if [ -n "$link" ]; then
    at="[${link%%%*}]:$(port "[${link%%%*}]")"
    timeout 20 "$(rig_bin ashlar-discovery)" "$link" "${at##*:}" "$RIG_NAME" "$RIG_IQN" "$RIG_IQN2" 0 print \
        >"$RIG_DIR/out" || fail "discovery at $link"
    [ "$(grep TargetAddress= "$RIG_DIR/out")" = "TargetAddress=$at,9" ] || { cat "$RIG_DIR/out"; fail "not $at alone is told"; }
fi

# A portal on all addresses is told as the one that was asked, with its port.
RIG_FLAGS=(--portal "0.0.0.0:0,3")
[ -z "$beyond" ] || RIG_FLAGS+=(--portal "$(bracketed "$beyond"):0,4")
rig_stop
rig_start
rig_api GET /v1 >"$RIG_DIR/box"
told "127.0.0.1:$RIG_PORT"
grep -qE "Portal:127\.0\.0\.1:[0-9]+,3" "$RIG_DIR/out" || { cat "$RIG_DIR/out"; fail "the portal on all addresses is not told"; }
if [ -n "$beyond" ]; then
    at=$(bracketed "$beyond"):$(port "$(bracketed "$beyond")")
    grep -qF "Portal:$at,4" "$RIG_DIR/out" || fail "$at is not told"
    told "$at"
    grep -qF "Portal:$at,4" "$RIG_DIR/out" || fail "$at is not told at itself"
    ! grep -q 'Portal:127\.' "$RIG_DIR/out" || fail "loopback is told at $at"
fi
