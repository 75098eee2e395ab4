#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: each type of a persistent reservation lets its holder, who is registered and who is not do what SPC-4 says;
# RESERVE and RELEASE go with the session. What was registered and reserved with APTPL is there after a kill in the
# moment of the answer and after an orderly restart, and not a key more; without APTPL it is gone.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires_ashlar

KILLS=10
rig_init
rig_start
rig_volume a 64MiB 1
rig_volume b 64MiB 2

# as PORT LUN STEP...: what the steps come to, in one line.
as() {
    local port=$1 lun=$2
    shift 2
    timeout 60 "$(rig_bin ashlar-reserve)" "$RIG_IQN" "$port" "$(rig_url "$lun")" "$@" | paste -sd, ||
        fail "port $port: $*"
}

# expect WANTED PORT LUN STEP...
expect() {
    local wanted=$1 got
    shift
    got=$(as "$@")
    [ "$got" = "$wanted" ] || fail "port $1, LUN $2, ${*:3}: $got, and not $wanted"
}

# --- who may do what: the holder is 1, 2 is registered, 3 is not ---
while read -r type holder registered stranger; do
    expect "good,good" 1 1 register:a1 "reserve:$type:a1"
    expect "good" 2 1 register:a2
    expect "good,$holder" 1 1 ready read write
    expect "good,$registered" 2 1 ready read write
    expect "good,$stranger" 3 1 ready read write
    expect "good,none" 1 1 clear:a1 reservation
done <<'TABLE'
1 good,good good,conflict good,conflict
3 good,good conflict,conflict conflict,conflict
5 good,good good,good good,conflict
6 good,good good,good conflict,conflict
7 good,good good,good good,conflict
8 good,good good,good conflict,conflict
TABLE

# --- RESERVE(6) ---
expect "good,good,conflict" 1 1 reserve6 reserve6 keys
expect "good,good,good" 2 1 reserve6 write release6 # it has logged out
expect "good" 1 1 reserve6 leave
for _ in $(seq 100); do
    [ "$(as 2 1 write)" = conflict ] || break
    sleep 0.1
done
expect "good,conflict,good" 2 1 reserve6 keys release6

# --- over restarts: 1 and 2 keep, on another unit 3 does not ---
expect "good,good" 1 1 kept:b1 reserve:5:b1
expect "good" 2 1 kept:b2
expect "good,good" 3 2 register:c3 reserve:1:c3
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
rig_start
expect "0 b1 b2,5 b1,conflict" 3 1 keys reservation write
expect "0,none,good" 3 2 keys reservation write
rig_kill
rig_start
expect "0 b1 b2,5 b1,conflict" 3 1 keys reservation write
expect "good,good" 1 1 register:b1 write # the last one says: not over the next
rig_kill
rig_start
expect "0,none,good" 3 1 keys reservation write

# --- killed as soon as it is answered ---
for n in $(seq "$KILLS"); do
    key=$(printf 'd%x' "$n")
    case $((n % 3)) in
    1) as 1 1 "kept:$key" "reserve:3:$key" "kill:$RIG_PID" >/dev/null ;;
    2) as 1 1 "kept:$key" "kill:$RIG_PID" >/dev/null ;;
    0) as 1 1 "kept:$key" "release:3:$key" "kill:$RIG_PID" >/dev/null ;;
    esac
    rig_kill
    rig_start
    case $((n % 3)) in
    1 | 2) held="3 $key" ;;
    0) held=none ;;
    esac
    expect "0 $key,$held" 2 1 keys reservation
done
as 1 1 "clear:$key" "kill:$RIG_PID" >/dev/null
rig_kill
rig_start
expect "0,none,good" 2 1 keys reservation write
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
echo "$KILLS kills in the moment of an answer: each found what was answered"
