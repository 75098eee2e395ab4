# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of ashlarctl share. Source it after tests/lib/rig.sh and rig_init.

unset ASHLAR_URL ASHLAR_SOCKET ASHLAR_TOKEN ASHLAR_CACERT

cli_show() {
    sed 's/^/  out: /' "$RIG_DIR/out"
    sed 's/^/  err: /' "$RIG_DIR/err"
}

# cli STATUS ARGS...: ashlarctl on the rig's socket ends with STATUS. Its answer is in out and err.
cli() {
    cli_plain "$1" --socket "$RIG_DIR/api.sock" "${@:2}"
}

# The same without a socket.
cli_plain() {
    local want=$1 rc=0
    shift
    timeout 30 "$RIG_ASHLARCTL" "$@" >"$RIG_DIR/out" 2>"$RIG_DIR/err" || rc=$?
    [ "$rc" = "$want" ] || { cli_show; fail "ashlarctl $*: ends with $rc, not $want"; }
}

# out RE..., err RE...: every RE matches a line of it.
out() {
    local re
    for re in "$@"; do
        grep -qE -- "$re" "$RIG_DIR/out" || { cli_show; fail "no '$re' on stdout"; }
    done
}

err() {
    local re
    for re in "$@"; do
        grep -qE -- "$re" "$RIG_DIR/err" || { cli_show; fail "no '$re' on stderr"; }
    done
}

# Nothing on stdout, one line on stderr, that every RE matches.
one_line() {
    [ ! -s "$RIG_DIR/out" ] || { cli_show; fail "it prints something"; }
    [ "$(wc -l <"$RIG_DIR/err")" = 1 ] || { cli_show; fail "not one line"; }
    err '^ashlarctl: ' "$@"
}

quiet() {
    [ ! -s "$RIG_DIR/err" ] || { cli_show; fail "it complains"; }
}
