#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: where no Ashlar daemon answers, ashlarctl says so in one line that names the place, with
# status 3, in bounded time; and lists of several pages come out as one.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires python3 jq
requires_ashlar
rig_init
. "$(dirname "$0")/lib.sh"

cli 3 volume list
one_line "cannot reach the daemon at $RIG_DIR/api.sock: No such file"
cli_plain 3 --socket /etc/passwd status
one_line 'cannot reach the daemon at /etc/passwd: '
cli_plain 3 --url "http://127.0.0.1:$(rig_free_port)" status
one_line 'cannot reach the daemon at http://127.0.0.1:'
cli_plain 3 --url http://no.such.host.invalid status
one_line 'no.such.host.invalid'

python3 "$(dirname "$0")/odd_daemon.py" >"$RIG_DIR/port" 2>"$RIG_DIR/odd.log" &
cleanup_fn kill $!
for _ in $(seq 100); do
    [ ! -s "$RIG_DIR/port" ] || break
    sleep 0.1
done
[ -s "$RIG_DIR/port" ] || fail "the odd daemon does not start"
url=http://127.0.0.1:$(cat "$RIG_DIR/port")

# odd STATUS RE PLACE ARGS...
odd() {
    cli_plain "$1" --url "$url/$3" "${@:4}"
    one_line "$2"
}

odd 3 'no Ashlar daemon: status 200 without JSON' html status
odd 3 'no Ashlar daemon: status 404' missing volume show v
odd 3 'no Ashlar daemon: status 302' redirect status
odd 3 'no Ashlar daemon: status 502' gateway status
odd 3 'no Ashlar daemon: status 200 without JSON' array status
odd 3 'no Ashlar daemon: status 200 without JSON' cut status
odd 3 'no answer from the daemon' hangup volume delete v
odd 3 'within 1 s.*may still be made' silence --timeout 1 volume delete v
odd 3 'too long' endless status
odd 1 'status 413' toolarge token create t
odd 1 'status 418' teapot status
odd 1 'out \?\[2Jof order' control status
cli_plain 0 --url "$url/pages" volume list
out '^NAME ' '^v1 ' '^v2 ' '^v3 '
[ "$(wc -l <"$RIG_DIR/out")" = 4 ] || fail "not one list of three volumes"
cli_plain 0 --url "$url/pages" volume list --json
[ "$(jq -c '[[.items[].name], .next]' "$RIG_DIR/out")" = '[["v1","v2","v3"],null]' ] ||
    { cli_show; fail "not one list"; }
cli_plain 3 --url "$url/pages" --timeout 5 host list
