#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: clients that watch events and do not read cost others nothing: who reads misses nothing,
# requests are answered, and when they are gone their places are free again.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires curl jq python3 iscsi-ls
requires_ashlar

rig_init
api=127.0.0.1:$(rig_free_port)
RIG_FLAGS+=(--api "$api")
rig_start

metric() {
    rig_api GET /metrics | sed -n "s/^$1 //p"
}

# One more watcher's status, if it is refused.
ask() {
    curl -sS -m 5 -o /dev/null -D "$RIG_DIR/head" -w '%{http_code}' --unix-socket "$RIG_DIR/api.sock" \
        -H 'Accept: text/event-stream' http://localhost/v1/events
}

# 31 that do not read, and one that does.
python3 - "$RIG_DIR/api.sock" 31 >"$RIG_DIR/slow.out" 2>&1 <<'PY' &
import signal, socket, sys
slow = []
for _ in range(int(sys.argv[2])):
    s = socket.socket(socket.AF_UNIX)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(sys.argv[1])
    s.sendall(b"GET /v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
    slow.append(s)
print("ready", flush=True)
signal.pause()
PY
slow_pid=$!
cleanup_fn eval "kill -KILL $slow_pid 2>/dev/null"
for _ in $(seq 100); do
    ! grep -q ready "$RIG_DIR/slow.out" || break
    sleep 0.05
done
after=$(rig_api GET '/v1/events?limit=1' | jq -r .last)
"$RIG_ASHLARCTL" --socket "$RIG_DIR/api.sock" event watch --json --after "$after" >"$RIG_DIR/watch" 2>"$RIG_DIR/watch.err" &
watch_pid=$!
cleanup_fn eval "kill $watch_pid 2>/dev/null"
for _ in $(seq 200); do
    [ "$(metric ashlar_event_streams)" != 32 ] || break
    sleep 0.05
done
[ "$(metric ashlar_event_streams)" = 32 ] || fail "not 32 streams: $(metric ashlar_event_streams)"

# One more is told to come later, and nothing else is affected.
status=$(ask)
[ "$status" = 503 ] || fail "the 33rd watcher is answered $status"
grep -qi '^retry-after: [0-9]' "$RIG_DIR/head" || fail "it is not told when to come again"
rig_ctl volume create v --pool p --size 64MiB >/dev/null || fail "a change is not answered"
[ "$(curl -sS -m 5 -o /dev/null -w '%{http_code}' "http://$api/healthz")" = 200 ] || fail "TCP is not answered"

rig_map v h1 1
for _ in $(seq 40); do
    iscsi-ls -s -i "$RIG_IQN" "$(rig_portal_url)" >/dev/null || fail "a login is refused"
done
kill -KILL $slow_pid
{ wait $slow_pid || true; } 2>/dev/null
for _ in $(seq 200); do
    [ "$(metric ashlar_event_streams)" != 1 ] || break
    sleep 0.05
done
[ "$(metric ashlar_event_streams)" = 1 ] || fail "streams of clients that are gone are kept"

# The one that reads has seen all that there was.
last=$(rig_api GET '/v1/events?limit=1' | jq -r .last)
for _ in $(seq 200); do
    ! grep -q "\"id\":\"$last\"" "$RIG_DIR/watch" || break
    sleep 0.05
done
rig_api GET "/v1/events?limit=1000&after=$after" | jq -r '.items[].id' >"$RIG_DIR/want"
jq -r .id "$RIG_DIR/watch" >"$RIG_DIR/got"
cmp -s "$RIG_DIR/want" "$RIG_DIR/got" || fail "the watcher saw otherwise: $(diff "$RIG_DIR/want" "$RIG_DIR/got" | head)"
kill -INT $watch_pid
wait $watch_pid || fail "SIGINT does not end event watch with 0"
rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ended with $RIG_RC"
