#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: an initiator that is silent is pinged as RFC 7143 has it; one that answers, or says anything
# else, stays; the connection of one that does not is ended and counted. TCP's own keepalive and user
# timeout are set as configured. Without connections the reactors sleep.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls curl ss
requires_ashlar

RIG_REACTORS=2
RIG_FLAGS+=(--nop-interval 1 --nop-timeout 3s --tcp-keepalive 90s --tcp-user-timeout 25)
rig_init

cases() {
    timeout 100 "$(rig_bin ashlar-async)" 127.0.0.1 "$RIG_PORT" "$RIG_NAME" "$RIG_IQN" "$RIG_IQN2" \
        false "$RIG_PID" "$@" || fail "a case"
}

timeouts() {
    rig_api GET /metrics | sed -n 's/^ashlar_keepalive_timeouts_total //p'
}

# How often the reactors' threads have woken up.
wakeups() {
    local task name sum=0 n
    for task in /proc/"$RIG_PID"/task/*; do
        read -r name <"$task/comm"
        case $name in reactor-*) ;; *) continue ;; esac
        n=$(awk '/^voluntary_ctxt_switches/ {print $2}' "$task/status")
        sum=$((sum + n))
    done
    echo "$sum"
}

rig_start
cases answers-pings says-something
[ "$(timeouts)" = 0 ] || fail "a connection that was served is counted as ended"
cases answers-no-ping
[ "$(timeouts)" = 2 ] || fail "the ended connections are $(timeouts), not 2"

exec 3<>"/dev/tcp/127.0.0.1/$RIG_PORT"
for _ in $(seq 50); do
    sockets=$(ss -Htno state established "sport = :$RIG_PORT")
    [ -z "$sockets" ] || break
    sleep 0.1
done
# A jiffy after the connection ss says 1min29sec, sooner 1min30sec.
[[ $sockets == *timer:\(keepalive,1min* ]] || fail "TCP's keepalive is not that of the configuration: $sockets"
exec 3>&-

for _ in $(seq 50); do
    [ -n "$(ss -Htn "sport = :$RIG_PORT")" ] || break
    sleep 0.1
done
before=$(wakeups)
sleep 4
after=$(wakeups)
[ $((after - before)) -le 4 ] || fail "reactors without connections woke up $((after - before)) times"
