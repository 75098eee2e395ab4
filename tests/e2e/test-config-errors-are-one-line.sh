#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a bad command line or configuration ends the daemon with one line that names the file, the
# key and what is accepted.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires_ashlar

rig_init
CONF=$RIG_DIR/ashlard.conf

# refused WHAT RE...: the daemon with "${ARGS[@]}" fails with one line that every RE matches.
refused() {
    local what=$1 rc=0 re
    shift
    timeout 10 "$RIG_ASHLARD" "${ARGS[@]}" >"$RIG_DIR/out" 2>&1 || rc=$?
    if [ "$rc" = 0 ] || [ "$rc" -ge 124 ]; then
        cat "$RIG_DIR/out"
        fail "$what: it ends with $rc"
    fi
    [ "$(wc -l <"$RIG_DIR/out")" = 1 ] || { cat "$RIG_DIR/out"; fail "$what: not one line"; }
    for re in "$@"; do
        grep -qE -- "$re" "$RIG_DIR/out" || { cat "$RIG_DIR/out"; fail "$what: no '$re' in the line"; }
    done
}

# in_file TEXT RE...: the same for a configuration file of that text.
in_file() {
    printf '%b\n' "$1" >"$CONF"
    ARGS=(--config "$CONF" --state-dir "$RIG_DIR/state")
    refused "$@"
}

ARGS=(--config "$RIG_DIR/none.conf")
refused "a file that is not there" 'none\.conf'
ARGS=(--config "$RIG_DIR")
refused "a directory as file" "$RIG_DIR"
in_file 'no-such-key = 1' 'ashlard\.conf' 'no-such-key'
in_file 'reactors = many' 'ashlard\.conf' 'reactors' 'many' '[0-9]'
in_file 'reactors = 0' 'ashlard\.conf' 'reactors' '1'
in_file 'reactors = 100000' 'ashlard\.conf' 'reactors' '[0-9]'
in_file 'io-engine = magic' 'ashlard\.conf' 'io-engine' 'magic' 'uring' 'threads'
in_file 'log-level = loud' 'ashlard\.conf' 'log-level' 'loud' 'debug'
in_file 'portal = nowhere' 'ashlard\.conf' 'portal' 'nowhere'
in_file 'portal = 127.0.0.1:99999' 'ashlard\.conf' 'portal' '99999'
in_file 'max-connections = 0' 'ashlard\.conf' 'max-connections' '1 to 16384'
in_file 'max-connections = 20000' 'ashlard\.conf' 'max-connections' '1 to 16384'
in_file 'login-timeout = 6m' 'ashlard\.conf' 'login-timeout' '1s to 300s'
in_file 'max-recv-segment = 511' 'ashlard\.conf' 'max-recv-segment' '512B to 1MiB'
in_file 'this is no line of a configuration' 'ashlard\.conf'
ARGS=(--no-such-flag)
refused "an unknown flag" 'no-such-flag'
ARGS=(--reactors)
refused "a flag without value" 'reactors'
ARGS=(--state-dir "$RIG_DIR/state" --io-engine magic)
refused "a bad flag value" 'io-engine' 'magic' 'uring' 'threads'
ARGS=(--state-dir /proc/no/such/place --portal 127.0.0.1:0 --api-socket "$RIG_DIR/s")
refused "a state directory that cannot be" '/proc/no/such/place'
