#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: over TCP ashlarctl shows the daemon a token from a file or the environment and is let in;
# without one, or with a revoked one, it is refused with a line that says how to give it; the token
# is never among its arguments, in its messages or in the daemon's log.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires curl jq
requires_ashlar
RIG_FLAGS=(--api 127.0.0.1:0 --log-level debug)
rig_init
. "$(dirname "$0")/lib.sh"
rig_start

port=$(sed -n 's/.*msg="API" address=127\.0\.0\.1:\([0-9]*\).*/\1/p' "$RIG_DIR/daemon.log" | tail -n 1)
[ -n "$port" ] || fail "the log does not tell the API's port"
url=http://127.0.0.1:$port
cli 0 token create remote --json
token=$(jq -r .token "$RIG_DIR/out")
echo "$token" >"$RIG_DIR/token"

cli_plain 1 --url "$url" volume list
one_line 'no token' '--token-file' 'ASHLAR_TOKEN'
cli_plain 0 --url "$url" --token-file "$RIG_DIR/token" volume create v --pool p --size 1MiB
out '^name +v$'
export ASHLAR_URL=$url/ ASHLAR_TOKEN=$token
cli_plain 0 volume list
out '^v +p '
ASHLAR_TOKEN=ashlar_0000000000000000000000000000000000000000000 cli_plain 1 volume list
one_line 'not known' '--token-file'
# A proxy in the environment does not get to see it.
http_proxy=http://127.0.0.1:9 ALL_PROXY=http://127.0.0.1:9 cli_plain 0 volume list
ASHLAR_URL=http://192.0.2.1:1 cli_plain 2 volume list
one_line 'not sent over plain HTTP'
cli 0 token delete remote
cli_plain 1 volume list
one_line 'not known'
grep -qF "$token" "$RIG_DIR/daemon.log" "$RIG_DIR/err" "$RIG_DIR/out" && fail "the token is told"
unset ASHLAR_URL ASHLAR_TOKEN
ASHLAR_SOCKET=$RIG_DIR/api.sock cli_plain 0 volume list
out '^v +p '
