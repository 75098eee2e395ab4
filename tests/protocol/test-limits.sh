#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: at each limit that is configured the one that passes it is turned away, with status 0302h
# where a login can be answered; sessions that were there and other addresses are served as before, also
# beside readers that take nothing and writers that send a byte at a time; the daemon's memory stays
# bounded; each is counted in the metrics and logged at a bounded rate.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires curl
requires_ashlar

REACTOR_BUFFERS_MIB=16
RIG_REACTORS=1 # so that all share its memory
RIG_FLAGS=(--max-connections 12 --max-address-connections 6 --max-logins 8 --max-address-logins 4
    --login-timeout 5s --max-recv-segment 16KiB --max-text 8KiB --max-commands 8 --max-input 64KiB
    --max-output 256KiB --max-session-buffers 4MiB --max-reactor-buffers "${REACTOR_BUFFERS_MIB}MiB")

rig_init
rig_start
rig_volume v 64MiB 1
# Twice the buffers, for the allocator's rounding, and 8 MiB for everything else. What a sanitizer
# keeps is its own.
growth=$(((2 * REACTOR_BUFFERS_MIB + 8) * 1024))
case $ASHLAR_BUILD in *san) growth=0 ;; esac
timeout 200 "$(rig_bin ashlar-limits)" 127.0.0.1 "$RIG_PORT" "$RIG_NAME" "$RIG_IQN" 1 "$RIG_PID" \
    "$growth" "$@" | tee "$RIG_DIR/limits.out" || fail "limits"
rig_alive || fail "the daemon died"
[ $# = 0 ] || exit 0

rig_api GET /metrics >"$RIG_DIR/metrics"
# turned_away LIMIT: the counter.
turned_away() {
    sed -n "s/^ashlar_turned_away_total{limit=\"$1\"} //p" "$RIG_DIR/metrics"
}
for limit in max-connections max-address-connections max-logins max-address-logins login-timeout \
    max-recv-segment max-text max-commands max-input; do
    [ "$(turned_away $limit)" -ge 1 ] || fail "$limit: nothing is counted"
    grep -q "turned away at a limit.*limit=$limit address=127.0.0." "$RIG_DIR/daemon.log" ||
        fail "$limit: nothing is logged"
done
count=$(turned_away max-address-logins)
lines=$(grep -c 'limit=max-address-logins ' "$RIG_DIR/daemon.log")
[ "$count" -ge 50 ] || fail "of 50 connections turned away $count are counted"
[ "$lines" -le $((count / 2)) ] || fail "$count turned away have $lines lines"
tail -n 1 "$RIG_DIR/limits.out" | sed "s/\$/; $count turned away in $lines lines/"
