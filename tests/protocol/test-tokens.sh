#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a token shows what its source held when it was made, whatever is written after, over sessions of several
# reactors; with any byte changed it is refused; only a host that is shown the source may use it; it ends in its time
# and with the daemon, and the space that it kept comes back.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires jq
requires_ashlar
rig_init
rig_start
rig_volume a 64MiB 1
rig_volume b 64MiB 2
ROUNDS=${TOKEN_ROUNDS:-8}

# tokens INITIATOR FROM TO VERB...: LUNs, or -.
tokens() {
    local initiator=$1 from=$2 to=$3
    shift 3
    [ "$from" = - ] || from=$(rig_url "$from")
    [ "$to" = - ] || to=$(rig_url "$to")
    timeout 100 "$(rig_bin ashlar-tokens)" "$initiator" "$from" "$to" "$@" 2>&1
}

# says WHAT ARG...
says() {
    local want=$1 got
    shift
    got=$(tokens "$@") || true
    [ "$got" = "$want" ] || fail "$*: '$got' and not '$want'"
}

is_empty() {
    [ "$(rig_api GET /v1/pools/p | jq .used)" = 0 ]
}

says good "$RIG_IQN" 1 2 copy "$ROUNDS"
says good "$RIG_IQN" 1 2 forge

# Of another host: while it is shown the source, and no longer.
says good "$RIG_IQN" 1 - make "$RIG_DIR/token"
says good "$RIG_IQN2" - 2 use "$RIG_DIR/token"
rig_ctl mapping delete a/h2 >/dev/null || fail "mapping delete"
says "5 2306" "$RIG_IQN2" - 2 use "$RIG_DIR/token"
says good "$RIG_IQN" - 2 use "$RIG_DIR/token"

# Its time.
says good "$RIG_IQN" 1 - make "$RIG_DIR/token" 1
for _ in $(seq 100); do
    got=$(tokens "$RIG_IQN" - 2 use "$RIG_DIR/token")
    [ "$got" = good ] || break
    sleep 2
done
[ "$got" = "5 2307" ] || fail "one whose time is over: $got"

# A restart, and a kill.
for signal in TERM KILL; do
    says good "$RIG_IQN" 1 - make "$RIG_DIR/token"
    rig_stop "$signal"
    rig_start
    says "5 2304" "$RIG_IQN" - 2 use "$RIG_DIR/token"
done

# All space comes back: nothing is left of tokens when both volumes have gone.
for pair in a/h1 b/h1 b/h2; do
    rig_ctl mapping delete "$pair" >/dev/null || fail "mapping delete $pair"
done
for name in a b; do
    rig_ctl volume delete "$name" --purge >/dev/null || fail "volume delete $name"
done
for _ in $(seq 300); do
    ! is_empty || { echo "tokens have ended in each way, and all space is back"; exit 0; }
    sleep 0.1
done
fail "tokens and volumes have gone, and the pool is not empty: $(rig_api GET /v1/pools/p)"
