#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a crowd of sessions logs in, idles and logs out, and so does a storm of logins at once; after each
# the daemon has as many descriptors as before, no session and no connection, and from the third time on
# its memory does not grow; nobody is turned away. Few descriptors to begin with are no hindrance.
# Environment: CROWD, STORM: how many sessions; ROUNDS of each.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls curl

CROWD=${CROWD:-1000}
STORM=${STORM:-200}
ROUNDS=${ROUNDS:-6}
SETTLED=3 # rounds: by then the allocator has what it keeps
GROWTH_KIB=${GROWTH_KIB:-1024} # of resident memory, from the settled round to the last

metric() {
    rig_api GET /metrics | sed -n "s/^$1 //p"
}

descriptors() {
    find "/proc/$RIG_PID/fd" -mindepth 1 | wc -l
}

rss_kib() {
    awk '/^VmRSS:/ {print $2}' "/proc/$RIG_PID/status"
}

# is_empty FDS: nobody is there, and there are no more descriptors than that.
is_empty() {
    [ "$(metric ashlar_sessions)" = 0 ] && [ "$(metric ashlar_connections)" = 0 ] && [ "$(descriptors)" -le "$1" ]
}

# What ends ends a moment after its initiator has seen it.
until_empty() {
    local i
    for i in $(seq 100); do
        ! is_empty "$1" || return 0
        sleep 0.1
    done
    fail "left behind after round $2: $(metric ashlar_sessions) sessions, $(metric ashlar_connections) connections," \
        "$(descriptors) descriptors, $1 before"
}

# hear WORD SECONDS: a line of the crowd's; the rest of it is in HEARD.
hear() {
    local word
    read -r -t "$2" word HEARD <&"${CROWD_OUT}" || fail "the crowd ends, or hangs"
    [ "$word" = "$1" ] || fail "the crowd says $word"
}

# rounds NAME SESSIONS WAVE
rounds() {
    local name=$1 sessions=$2 wave=$3 before round first=0 last=0 refused=0
    before=$(descriptors)
    coproc CROWD_OF { "$(rig_bin ashlar-crowd)" 127.0.0.1 "$RIG_PORT" "$RIG_NAME" "$RIG_IQN" "$sessions" "$wave"; }
    local pid=$CROWD_OF_PID
    local in=${CROWD_OF[1]} out=${CROWD_OF[0]}
    exec {CROWD_OUT}<&"$out" {CROWD_IN}>&"$in"
    exec {in}>&- {out}<&-
    for round in $(seq "$ROUNDS"); do
        echo in >&"$CROWD_IN"
        hear in 100
        refused=$((refused + ${HEARD#* }))
        [ "$(metric ashlar_sessions)" = "$sessions" ] || fail "$name: not $sessions sessions"
        echo out >&"$CROWD_IN"
        hear out 100
        until_empty "$before" "$round"
        last=$(rss_kib)
        [ "$round" != "$SETTLED" ] || first=$last
        echo "$name, round $round: $last KiB"
    done
    exec {CROWD_IN}>&- {CROWD_OUT}<&-
    wait "$pid" || fail "the crowd ends with $?"
    [ "$refused" = 0 ] || fail "$name: $refused connections were closed before their login was answered"
    [ $((last - first)) -le "$GROWTH_KIB" ] || fail "$name: memory grows from $first to $last KiB"
    SUMMARY+="$ROUNDS x $sessions sessions, $wave at once: $((last - first)) KiB more from round $SETTLED on; "
}

# The address sanitizer keeps what was freed, 8 MiB of it here, and notes on it; what leaks it says at the end.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=8
! grep -q __asan_init "$(rig_bin ashlard)" || GROWTH_KIB=$((GROWTH_KIB * 8))
SUMMARY=
ulimit -Sn 1024
RIG_FLAGS=(--max-address-connections "$CROWD") # they all come from here
rig_init
rig_start
rig_volume v 64MiB 1
rounds crowd "$CROWD" 100
rounds storm "$STORM" "$STORM"
[ "$(metric ashlar_login_failures_total)" = 0 ] || fail "a login was refused"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ends with $RIG_RC"
echo "${SUMMARY%; }"
