#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: SIGHUP takes up a changed log level, changed advertised addresses and changed limits, names the changed
# keys that need a restart, and keeps all as it was, serving on, if the file became wrong.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls iscsi-inq
requires_ashlar

rig_init
CONF=$RIG_DIR/ashlard.conf
printf 'log-level = info\nround-interval-ms = 3000\n' >"$CONF"
RIG_FLAGS=(--config "$CONF")
rig_start
rig_volume v 64MiB 1

# reloaded RE: sends SIGHUP and waits until the log has one more line of that kind.
reloaded() {
    local re=$1 before
    before=$(grep -cE "$re" "$RIG_DIR/daemon.log" || true)
    kill -HUP "$RIG_PID"
    for _ in $(seq 200); do
        [ "$(grep -cE "$re" "$RIG_DIR/daemon.log" || true)" -gt "$before" ] && return 0
        sleep 0.05
    done
    rig_tail
    fail "no line like '$re' after SIGHUP"
}

discovered() {
    timeout 20 iscsi-ls -i "$RIG_IQN" "iscsi://127.0.0.1:$RIG_PORT" >"$RIG_DIR/ls"
    grep -q "$1" "$RIG_DIR/ls"
}

discovered 192.0.2.7 && fail "an address is told before it is configured"
printf 'log-level = debug\nadvertise = 192.0.2.7:3260\nround-interval-ms = 2000\n' >"$CONF"
reloaded 'configuration reloaded.*log-level=debug'
grep -q 'need a restart.*round-interval-ms' "$RIG_DIR/daemon.log" ||
    { rig_tail; fail "the key that needs a restart is not named"; }
discovered 192.0.2.7:3260 || { cat "$RIG_DIR/ls"; fail "the new address is not told"; }
discovered "127.0.0.1:$RIG_PORT" || fail "the address that the initiator came to is not told"

printf 'log-level = debug\nadvertise = 192.0.2.7:3260\nmax-connections = 1\nmax-text = 1\n' >"$CONF"
reloaded 'configuration not reloaded.*max-text'
hold() { "$(rig_bin ashlar-idle)" "$1" "$RIG_IQN" "$(rig_url 1)" </dev/null; }
hold 2 >/dev/null || fail "a limit of a bad file counts"
printf 'log-level = debug\nadvertise = 192.0.2.7:3260\nmax-connections = 1\n' >"$CONF"
reloaded 'configuration reloaded'
! hold 2 >/dev/null 2>&1 || fail "the new limit does not count"
grep -q 'turned away at a limit.*limit=max-connections' "$RIG_DIR/daemon.log" || fail "nothing is logged"
printf 'log-level = debug\nadvertise = 192.0.2.7:3260\n' >"$CONF"
reloaded 'configuration reloaded'
hold 2 >/dev/null || fail "the limit counts still"

printf 'log-level = loud\n' >"$CONF"
reloaded 'configuration not reloaded.*log-level'
discovered 192.0.2.7:3260 || fail "a bad file took the address away"
timeout 20 iscsi-inq -i "$RIG_IQN" "$(rig_url 1)" >/dev/null || fail "the daemon does not serve on"
