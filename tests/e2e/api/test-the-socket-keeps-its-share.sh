#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: however many connections come over TCP, from one address or many, the Unix socket is served;
# what is too many is closed at once and counted, and the log stays short.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires curl python3
requires_ashlar

rig_init
port=$(rig_free_port)
RIG_FLAGS+=(--api "127.0.0.1:$port")
rig_start

# Opens 40 connections from each of 5 addresses and asks on each; tells how many were answered, of the
# first address and in all; then keeps them until its input ends.
mkfifo "$RIG_DIR/hold"
python3 - "$port" "$RIG_DIR/hold" >"$RIG_DIR/served" <<'END' &
import socket, sys
port = int(sys.argv[1])
kept = []
for n in range(1, 6):
    for _ in range(40):
        s = socket.create_connection(("127.0.0.1", port), 10, ("127.0.1.%d" % n, 0))
        try:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            if s.recv(4096).startswith(b"HTTP/1.1 200"):
                kept.append((n, s))
        except OSError:
            pass
print(sum(1 for n, _ in kept if n == 1), len(kept), flush=True)
open(sys.argv[2]).read()
END
holder=$!
exec 9>"$RIG_DIR/hold"
for _ in $(seq 400); do
    [ ! -s "$RIG_DIR/served" ] || break
    sleep 0.05
done
[ "$(cat "$RIG_DIR/served")" = "32 112" ] || fail "served of one address and of all: $(cat "$RIG_DIR/served")"
for _ in $(seq 20); do
    rig_ctl status >/dev/null || fail "the Unix socket has no place left"
done
rig_api GET /metrics | grep -q '^ashlar_api_connections_refused_total 88$' || fail "the refused are miscounted"
lines=$(grep -c 'msg="api connection refused"' "$RIG_DIR/daemon.log")
[ "$lines" -ge 1 ] && [ "$lines" -le 20 ] || fail "$lines lines of the log for 88 connections"
exec 9>&-
wait "$holder"
for _ in $(seq 100); do
    ! curl -s -m 5 -o /dev/null "http://127.0.0.1:$port/healthz" || break
    sleep 0.05
done
curl -sS -m 5 -o /dev/null "http://127.0.0.1:$port/healthz" || fail "their places are not free again"
