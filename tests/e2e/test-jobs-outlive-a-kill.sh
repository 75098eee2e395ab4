#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a job outlives kill -9 of its daemon. It ends under the same id with the right outcome, however
# often the daemon is killed meanwhile; one whose cancelling was answered ends as cancelled; and of 64 clients
# that ask for the check of one pool at once, one gets a job and the others are told which.
set -euo pipefail
RIG_POOL_SIZE=4TiB
. "$(dirname "$0")/../lib/rig.sh"
requires curl jq python3
requires_ashlar
rig_init

VOLUME_SIZE=2TiB
EXTENTS=$((2 * 1024 * 1024 * 16))
TRIES=20
CLIENTS=64

# A map that takes a check some time; nothing of it is on the pool's disk.
rig_start
rig_ctl volume create v --pool p --size "$VOLUME_SIZE" >/dev/null || fail "volume create"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ends with $RIG_RC"
"$(rig_bin ashlar-fill-map)" "$RIG_DIR/state" || fail "ashlar-fill-map"
rig_start

# begin: a check; its id.
begin() {
    rig_api POST /v1/pools/p/check | jq -er .id
}

# job ID JQ
job() {
    rig_api GET "/v1/jobs/$1" | jq -r "$2"
}

# The state that the catalog of a daemon that is not there has for a job, as a number; 0 is running.
stored() {
    python3 - "$RIG_DIR/state/catalog.db" "$1" <<'EOF'
import sqlite3
import sys

catalog = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
print(catalog.execute("SELECT state FROM job WHERE id = ?", (sys.argv[2],)).fetchone()[0])
EOF
}

# Until the job has ended; its state then.
ending() {
    local state
    for _ in $(seq 1200); do
        state=$(job "$1" .state) || return 1
        [ "$state" = running ] || { echo "$state"; return 0; }
        sleep 0.1
    done
    return 1
}

# Until work has been done, or it has ended already.
under_way() {
    for _ in $(seq 1200); do
        [ "$(job "$1" '.state != "running" or .progress.done > 0')" = false ] || return 0
    done
    return 1
}

# --- one in the middle of its work ---
for try in $(seq $TRIES); do
    id=$(begin) || fail "no job"
    under_way "$id" || fail "job $id does nothing"
    rig_kill
    state=$(stored "$id") || fail "job $id is not in the catalog"
    [ "$state" != 0 ] || break
    rig_start
done
[ "$state" = 0 ] || fail "no check could be killed in $try tries"
echo "killed in the middle at try $try"

# --- and again, sooner and later ---
for pause in 0 0.1 0.3 0.6; do
    rig_start
    job "$id" .state >/dev/null || fail "job $id is gone"
    sleep "$pause"
    rig_kill
done
rig_start
state=$(ending "$id") || fail "job $id does not end"
[ "$state" = "done" ] || fail "job $id ends as $state"
job "$id" '.outcome, .progress, .error'
[ "$(job "$id" "[.outcome.clean, .outcome.named_extents, .outcome.used_extents, .error] |
    . == [true, $EXTENTS, $EXTENTS, null]")" = true ] || fail "not the outcome of this pool"
[ "$(job "$id" "[.progress.done, .progress.total] | . == [$EXTENTS, $EXTENTS]")" = true ] ||
    fail "not the progress of an ended job"
[ "$(rig_api GET /v1/jobs | jq --arg id "$id" '[.items[] | select(.id == $id)] | length')" = 1 ] ||
    fail "job $id is not there once"

# --- a stop in order ---
for try in $(seq $TRIES); do
    id=$(begin) || fail "no job"
    under_way "$id" || fail "job $id does nothing"
    rig_stop
    [ "$RIG_RC" = 0 ] || fail "the daemon ends with $RIG_RC"
    state=$(stored "$id")
    rig_start
    [ "$state" != 0 ] || break
done
[ "$state" = 0 ] || fail "no check ran at a stop in $try tries"
[ "$(ending "$id")" = "done" ] || fail "job $id does not end as done after a stop"

# --- cancelled ---
for try in $(seq $TRIES); do
    id=$(begin) || fail "no job"
    rig_api POST "/v1/jobs/$id/cancel" >"$RIG_DIR/answer" || continue # it has ended
    rig_api POST "/v1/jobs/$id/cancel" >"$RIG_DIR/again" || jq -e '.detail | test("has ended")' "$RIG_DIR/again" >/dev/null ||
        fail "asked again: $(cat "$RIG_DIR/again")"
    state=$(ending "$id") || fail "job $id does not end"
    [ "$state" != cancelled ] || break
done
[ "$state" = cancelled ] || fail "no check could be cancelled in $try tries"
[ "$(job "$id" '[.cancel_requested, .outcome, .error] | . == [true, null, null]')" = true ] ||
    fail "not a cancelled job"

# --- cancelled, and killed before it could stop ---
for try in $(seq $TRIES); do
    id=$(begin) || fail "no job"
    rig_api POST "/v1/jobs/$id/cancel" >"$RIG_DIR/answer" || continue
    rig_kill
    state=$(stored "$id")
    rig_start
    [ "$state" = 1 ] || break
done
[ "$(ending "$id")" = cancelled ] || fail "job $id was to be cancelled"

# --- many at once ---
url=http://localhost/v1/pools/p/check
urls=()
for _ in $(seq $CLIENTS); do
    urls+=("$url" -o "$RIG_DIR/race.$_")
done
for try in $(seq $TRIES); do
    curl -sS -m 60 --unix-socket "$RIG_DIR/api.sock" -Z --parallel-immediate --parallel-max $CLIENTS -X POST \
        -w '%{http_code}\n' "${urls[@]}" | sort | uniq -c | awk '{print $2, $1}' >"$RIG_DIR/race"
    id=$(jq -rs '[.[] | select(.id != null)][0].id' "$RIG_DIR"/race.*)
    state=$(job "$id" .state)
    [ "$state" != running ] || break # it was under way all the time
    sleep 0.1
done
[ "$state" = running ] || fail "no check outlasted the race in $try tries"
[ "$(tr '\n' ' ' <"$RIG_DIR/race")" = "202 1 409 $((CLIENTS - 1)) " ] || fail "the race: $(cat "$RIG_DIR/race")"
named=$(jq -rs --arg id "$id" '[.[] | select(.status == 409 and (.detail | contains($id)))] | length' "$RIG_DIR"/race.*)
[ "$named" = $((CLIENTS - 1)) ] || fail "only $named of the refused are told which job"
[ "$(ending "$id")" = "done" ] || fail "job $id does not end as done"
