#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: who watches events and loses the connection, or the daemon, goes on where it was: nothing is
# lost without being told, and nothing comes twice.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires curl jq iscsi-ls
requires_ashlar

rig_init
rig_start
rig_volume v 64MiB 1

last() {
    rig_api GET '/v1/events?limit=1' | jq -r .last
}

# stream ID: reads the stream from after ID ('': from now) into out, in the background.
stream() {
    curl -sSN --unix-socket "$RIG_DIR/api.sock" -H 'Accept: text/event-stream' \
        ${1:+-H "Last-Event-ID: $1"} http://localhost/v1/events >>"$RIG_DIR/out" &
    stream_pid=$!
    cleanup_fn eval "kill $stream_pid 2>/dev/null"
}

greeted() {
    eventually 'the stream does not begin' grep -q '^id: ' "$RIG_DIR/out"
}

sever() {
    kill -KILL $stream_pid
    { wait $stream_pid || true; } 2>/dev/null
}

# eventually WHAT COMMAND...: it comes true.
eventually() {
    for _ in $(seq 200); do
        ! "${@:2}" || return 0
        sleep 0.05
    done
    fail "$1"
}

# A login, which is told as two events: session.opened and session.closed.
login() {
    iscsi-ls -s -i "$RIG_IQN" "$(rig_portal_url)" >/dev/null
    logins=$((logins + 1))
}

# Both events of each login are there.
all_closed() {
    [ "$(rig_api GET '/v1/events?limit=1000&type=session.closed' | jq '.items | length')" = "$logins" ]
}

# The ids that the stream told of, as they came.
ids() {
    sed -n 's/^data: {"id":"\([0-9-]*\)".*/\1/p' "$RIG_DIR/out"
}

seen() {
    grep -q "^data: {\"id\":\"$1\"" "$RIG_DIR/out"
}

printed() {
    [ "$(grep -c "$1" "$RIG_DIR/watch")" -ge "$2" ]
}

# --- a connection that is cut, while things happen ---
logins=0
first=$(last)
stream ''
greeted
login
eventually 'a session does not end' all_closed
eventually 'the stream tells nothing' seen "$(last)"
for _ in 1 2 3; do
    sever
    login
    eventually 'a session does not end' all_closed
    # The id that the client has, as whoever reads such streams keeps it.
    stream "$(sed -n 's/^id: //p' "$RIG_DIR/out" | tail -n 1)"
    login
    eventually 'a session does not end' all_closed
    eventually 'the stream does not tell all' seen "$(last)"
done
sever
ids >"$RIG_DIR/got"
rig_api GET "/v1/events?limit=1000&after=$first" | jq -r '.items[].id' >"$RIG_DIR/want"
[ -s "$RIG_DIR/want" ] || fail "nothing happened"
cmp -s "$RIG_DIR/want" "$RIG_DIR/got" || fail "told otherwise than kept: $(diff "$RIG_DIR/want" "$RIG_DIR/got")"
grep -q '^event: session.opened' "$RIG_DIR/out" || fail "no login is told"
grep -q '^event: session.closed' "$RIG_DIR/out" || fail "no end of a session is told"
! grep -q '^event: gap' "$RIG_DIR/out" || fail "a gap where nothing was lost"

# --- ashlarctl comes back by itself; a daemon that was killed leaves a gap ---
rig_ctl event watch --count 1 --after "$first" --json >"$RIG_DIR/one"
[ "$(jq -r .id "$RIG_DIR/one")" = "$(head -n 1 "$RIG_DIR/want")" ] || fail "--after and --count: $(cat "$RIG_DIR/one")"

after=$(last)
"$RIG_ASHLARCTL" --socket "$RIG_DIR/api.sock" event watch --json --after "$after" >"$RIG_DIR/watch" 2>"$RIG_DIR/watch.err" &
watch_pid=$!
cleanup_fn eval "kill $watch_pid 2>/dev/null"
login
eventually 'event watch prints nothing' printed session.closed 1
rig_kill
rig_start
logins=0
eventually 'event watch does not come back' printed daemon.started 1
old=$(grep -v '^{"gap"' "$RIG_DIR/watch" | head -n 1 | jq -r '.id | split("-")[0]')
gap=$(grep -n '^{"gap"' "$RIG_DIR/watch" | cut -d: -f1)
started=$(grep -n daemon.started "$RIG_DIR/watch" | cut -d: -f1)
[ "$((gap + 1))" = "$started" ] || fail "no gap before the new start: $(cat "$RIG_DIR/watch")"
jq -es --argjson old "$old" 'map(select(.gap))[0] | (.gap.after | split("-")[0] | tonumber) == $old and
    (.gap.before | split("-")[0] | tonumber) > $old' <"$RIG_DIR/watch" >/dev/null ||
    fail "the gap says something else: $(cat "$RIG_DIR/watch")"
login
eventually 'event watch prints nothing after it came back' printed session.closed 2
[ "$(jq -r 'select(.id) | .id' "$RIG_DIR/watch" | sort | uniq -d)" = '' ] || fail "an event came twice"

# --- it ends with 0, by a signal and when nobody reads ---
kill -TERM $watch_pid
rc=0
wait $watch_pid || rc=$?
[ "$rc" = 0 ] || fail "SIGTERM ends event watch with $rc"
grep -q 'connection is lost' "$RIG_DIR/watch.err" || fail "it does not say that it lost the connection"
id=$(last)
{
    rc=0
    "$RIG_ASHLARCTL" --socket "$RIG_DIR/api.sock" event watch --after "${id%-*}-0" 2>"$RIG_DIR/watch.err" || rc=$?
    echo "$rc" >"$RIG_DIR/rc"
} | head -n 1 >/dev/null &
eventually 'event watch goes on for nobody' test -s "$RIG_DIR/rc"
[ "$(cat "$RIG_DIR/rc")" = 0 ] || fail "without a reader event watch ends with $(cat "$RIG_DIR/rc")"
[ ! -s "$RIG_DIR/watch.err" ] || fail "it complains that nobody reads: $(cat "$RIG_DIR/watch.err")"

# --- a stop ends the stream in order ---
: >"$RIG_DIR/out"
stream ''
greeted
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
wait $stream_pid || fail "the stream did not end as an answer does"
grep -q '^event: daemon.stopping' "$RIG_DIR/out" || fail "the stop is not told: $(cat "$RIG_DIR/out")"
