#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: what the API and ashlarctl tell of a session is what its initiator did: each command, read,
# write, R2T, ping, task management function and error is counted once, in the histogram too, and the
# keys are those of its login. The metrics have the sums.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires curl jq
requires_ashlar

READS=${FIGURES_READS:-40}
WRITES=${FIGURES_WRITES:-21}

rig_init
rig_start
rig_volume v 64MiB 1
coproc CLIENT { exec timeout 60 "$(rig_bin ashlar-figures)" 127.0.0.1 "$RIG_PORT" "$RIG_NAME" "$RIG_IQN" \
    1 "$READS" "$WRITES"; }
read -r -t 50 did <&"${CLIENT[0]}" || fail "the client does not get through"
rig_api GET /v1/sessions >"$RIG_DIR/list"
id=$(jq -r '.items[] | select(.type == "normal") | .id' "$RIG_DIR/list")
rig_api GET "/v1/sessions/$id" >"$RIG_DIR/session"
rig_api GET /metrics >"$RIG_DIR/metrics"

# The late writes are dropped: commands, but not answered ones.
LATE=5
checked=0
# is MEMBER VALUE: of the session, in jq's words.
is() {
    local value
    value=$(jq -c "$1" "$RIG_DIR/session")
    [ "$value" = "$2" ] || fail "$1 is $value, not $2 ($did)"
    checked=$((checked + 1))
}

is .latency.read.count "$READS"
is '[.latency.read.buckets[]] | add' "$READS"
is .latency.write.count "$WRITES"
is '[.latency.write.buckets[]] | add' "$WRITES"
is .latency.other.count 3
is '[.latency[] | .p50_us <= .p99_us and .p99_us <= .p999_us and .p999_us <= .max_us and .max_us > 0] | all' true
is .commands $((READS + WRITES + LATE + 3))
is .read $((READS * 4096))
is .written $((WRITES * 4096))
is .errors 2
is .counters.unit_attentions 1
is .counters.r2ts $((WRITES + LATE))
is .counters.rejects 1
is .counters.pings_received 4
is .counters.busy 0
is .counters.task_set_full 0
is .counters.data_digest_errors 0
is .counters.task_management.abort_task_set 1
is .counters.task_management.clear_aca 1
is .counters.task_management.query_task_set 2
is '[.counters.task_management[]] | add' 4
is .outstanding_tasks 0
is .outstanding_tasks_most "$LATE"
is .auth.method '"none"'
is .negotiated.protocol_level 2
is .negotiated.task_reporting '"RFC3720"'
is .negotiated.initial_r2t true
is .negotiated.immediate_data true
is .negotiated.header_digest false
is .negotiated.max_recv_initiator 32768
is .negotiated.max_recv_target 262144
is .negotiated.max_connections 1
is .negotiated.error_recovery_level 0

# metric NAME VALUE
metric() {
    grep -qxF "$1 $2" "$RIG_DIR/metrics" || { grep "^${1%%\{*}" "$RIG_DIR/metrics"; fail "$1 is not $2"; }
    checked=$((checked + 1))
}
metric 'ashlar_scsi_command_seconds_count{op="read"}' "$READS"
metric 'ashlar_scsi_command_seconds_bucket{op="write",le="+Inf"}' "$WRITES"
metric 'ashlar_task_management_total{function="abort_task_set"}' 1
metric ashlar_r2ts_total $((WRITES + LATE))
metric ashlar_unit_attentions_total 1

rig_ctl session show "$id" >"$RIG_DIR/shown"
for line in "latency\.read\.count +$READS" "latency\.read\.p999_us +[0-9]+" "counters\.r2ts +$((WRITES + LATE))" \
    'negotiated\.protocol_level +2' 'counters\.task_management\.clear_aca +1'; do
    grep -qE "^$line\$" "$RIG_DIR/shown" || { cat "$RIG_DIR/shown"; fail "session show has no '$line'"; }
    checked=$((checked + 1))
done
rig_ctl session list >"$RIG_DIR/shown"
grep -qE "^ *$id +h1 +normal +$RIG_IQN +127\.0\.0\.1:[0-9]+ +0 +$((READS + WRITES + LATE + 3)) " "$RIG_DIR/shown" ||
    { cat "$RIG_DIR/shown"; fail "session list tells otherwise"; }
echo "figures of $did: $checked checked"
