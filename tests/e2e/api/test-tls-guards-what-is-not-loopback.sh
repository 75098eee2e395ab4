#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: where others than this machine may reach the API it speaks TLS 1.2 or newer and nothing else,
# with a certificate made at the first start or the one that it is given; SIGHUP takes up another for
# new connections while old ones live on, and a pair that is bad is named.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires curl jq openssl
requires_ashlar

rig_init
. "$(dirname "$0")/../cli/lib.sh"
port=$(rig_free_port)
CONF=$RIG_DIR/ashlard.conf
: >"$CONF"
RIG_FLAGS=(--config "$CONF" --api "0.0.0.0:$port")
rig_start
own=$RIG_DIR/state/tls
url=https://127.0.0.1:$port

# status PATH CERTIFICATE [TOKEN]
status() {
    curl -sS -m 10 -o /dev/null -w '%{http_code}' --cacert "$2" ${3:+-H "Authorization: Bearer $3"} "$url$1"
}

# handshake FLAG...: openssl agrees with the daemon on TLS. Its words are in the file s_client.
handshake() {
    timeout 10 openssl s_client -connect "127.0.0.1:$port" "$@" </dev/null >"$RIG_DIR/s_client" 2>&1 &&
        ! grep -q 'Cipher is (NONE)' "$RIG_DIR/s_client"
}

fingerprint() {
    openssl x509 -in "$1" -noout -fingerprint -sha256 | sed 's/.*=//'
}

# served CERTIFICATE: it is the one that a new connection gets.
served() {
    handshake || fail "no handshake"
    [ "$(fingerprint "$RIG_DIR/s_client")" = "$(fingerprint "$1")" ] || fail "another certificate than $1"
}

# reloaded RE: sends SIGHUP and waits until the log has one more line of that kind.
reloaded() {
    local before
    before=$(grep -cE "$1" "$RIG_DIR/daemon.log" || true)
    kill -HUP "$RIG_PID"
    for _ in $(seq 200); do
        [ "$(grep -cE "$1" "$RIG_DIR/daemon.log" || true)" -gt "$before" ] && return 0
        sleep 0.05
    done
    rig_tail
    fail "no line like '$1' after SIGHUP"
}

# --- the first start ---

[ "$(stat -c %a "$own" "$own/key.pem" | xargs)" = "700 600" ] || fail "the key may be read by others"
grep -q "sha256=$(fingerprint "$own/certificate.pem")" "$RIG_DIR/daemon.log" || fail "the fingerprint is not told"
served "$own/certificate.pem"

# --- TLS and nothing else ---

! curl -s -m 10 -o /dev/null "http://127.0.0.1:$port/healthz" || fail "plain HTTP is answered"
# The client's own rules would keep it from what is old.
weak=DEFAULT@SECLEVEL=0
for version in tls1 tls1_1; do
    ! handshake "-$version" -cipher "$weak" || fail "$version is taken"
    grep -q 'alert protocol version' "$RIG_DIR/s_client" || fail "it is not the daemon that refuses $version"
done
for version in tls1_2 tls1_3; do
    handshake "-$version" || fail "$version is refused"
done
handshake -alpn http/1.1 && grep -q 'ALPN protocol: http/1.1' "$RIG_DIR/s_client" || fail "no HTTP/1.1 by ALPN"
! handshake -alpn imap || fail "another protocol is agreed on"

# --- a token is needed still, and goes to whom is trusted ---

[ "$(status /healthz "$own/certificate.pem")" = 200 ] || fail "health is not told"
[ "$(status /v1 "$own/certificate.pem")" = 401 ] || fail "the box is told without a token"
token=$(rig_api POST /v1/tokens '{"name":"t"}' | jq -r .token)
[ "$(status /v1 "$own/certificate.pem" "$token")" = 200 ] || fail "the token does not work"
export ASHLAR_TOKEN=$token
cli_plain 3 --url "$url" status
one_line 'not trusted' '--cacert' 'tls/certificate\.pem'
cli_plain 0 --url "$url" --cacert "$own/certificate.pem" status
ASHLAR_CACERT=$own/certificate.pem cli_plain 0 --url "$url" pool list
out '^p '
# An answer that goes on comes to its end.
rig_ctl volume create v --pool p --size 1MiB >/dev/null
cli_plain 0 --url "$url" --cacert "$own/certificate.pem" volume extents v --zeros
out '^0 1048576 zero$'
cli_plain 3 --url "$url" --cacert "$own/key.pem" status
one_line 'no certificate in PEM'
cli_plain 3 --url "https://127.0.0.1:$RIG_PORT" --timeout 5 status
one_line .
unset ASHLAR_TOKEN

# --- another certificate, while a connection lives ---

# pair NAME ALGORITHM...
pair() {
    openssl req -x509 -nodes -newkey "${@:2}" -keyout "$RIG_DIR/$1.key" -out "$RIG_DIR/$1.pem" \
        -subj "/CN=$1" -addext "subjectAltName=IP:127.0.0.1" -days 30 2>/dev/null
}
pair next rsa:2048
pair other ec -pkeyopt ec_paramgen_curve:P-384

coproc OLD { openssl s_client -quiet -connect "127.0.0.1:$port" 2>/dev/null; }
# ask_old: a request and its answer on the connection that is open.
ask_old() {
    local line
    printf 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n' >&"${OLD[1]}" || return 1
    read -r -t 10 line <&"${OLD[0]}" || return 1
    case $line in "HTTP/1.1 200"*) ;; *) return 1 ;; esac
    while read -r -t 10 line <&"${OLD[0]}" && [ "$line" != $'\r' ] && [ -n "$line" ]; do :; done
    read -r -t 10 -N 18 line <&"${OLD[0]}" && [ "$line" = '{"status":"alive"}' ]
}
ask_old || fail "no answer on the old connection"
printf 'api-certificate = %s\napi-key = %s\n' "$RIG_DIR/next.pem" "$RIG_DIR/next.key" >"$CONF"
reloaded 'API certificate".*next\.pem'
served "$RIG_DIR/next.pem"
ask_old || fail "the old connection has ended"
[ "$(status /v1 "$RIG_DIR/next.pem" "$token")" = 200 ] || fail "the token does not work any more"
! handshake -tls1_2 -cipher 'kRSA' || fail "a cipher without forward secrecy is taken"

printf 'api-certificate = %s\napi-key = %s\n' "$RIG_DIR/next.pem" "$RIG_DIR/other.key" >"$CONF"
reloaded 'API certificate not reloaded.*other\.key.*is not that of the certificate'
served "$RIG_DIR/next.pem"
ask_old || fail "the old connection has ended"
# The files may be written anew as well.
cp "$RIG_DIR/other.pem" "$RIG_DIR/next.pem"
reloaded 'API certificate".*next\.pem'
served "$RIG_DIR/other.pem"
eval "exec ${OLD[1]}>&-"

# --- bad pairs at the start ---

rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ends with $RIG_RC"

# refused RE...: the daemon does not start, and says why in one line.
refused() {
    local rc=0 re
    timeout 20 "$RIG_ASHLARD" --state-dir "$RIG_DIR/state" --portal "127.0.0.1:$RIG_PORT" \
        --api-socket "$RIG_DIR/api.sock" --log-level error "${RIG_FLAGS[@]}" >"$RIG_DIR/err" 2>&1 || rc=$?
    [ "$rc" = 1 ] || [ "$rc" = 2 ] || fail "the daemon ends with $rc, not refused"
    [ "$(wc -l <"$RIG_DIR/err")" = 1 ] || { cat "$RIG_DIR/err"; fail "not one line"; }
    err "$@"
}
printf 'api-certificate = %s\n' "$RIG_DIR/other.pem" >"$CONF"
refused 'api-certificate is given without api-key'
printf 'api-certificate = %s\napi-key = %s\n' "$RIG_DIR/none.pem" "$RIG_DIR/other.key" >"$CONF"
refused 'certificate .*none\.pem: No such file'
printf 'api-certificate = %s\napi-key = %s\n' "$RIG_DIR/other.pem" "$own/key.pem" >"$CONF"
refused 'key .*tls/key\.pem: is not that of the certificate in .*other\.pem'
: >"$CONF"
: >"$own/key.pem"
refused 'tls/key\.pem: holds no key' "remove .*/state/tls to have"
rm "$own/key.pem"
refused 'tls/key\.pem: there is none' "remove .*/state/tls to have"
cp "$own/certificate.pem" "$RIG_DIR/first.pem"
rm -r "$own"
rig_start
[ "$(fingerprint "$own/certificate.pem")" != "$(fingerprint "$RIG_DIR/first.pem")" ] || fail "no new certificate"
served "$own/certificate.pem"

# --- and on loopback only if it is said ---

rig_stop
RIG_FLAGS=(--api "127.0.0.1:$port")
rig_start
[ "$(curl -sS -m 10 "http://127.0.0.1:$port/healthz" | jq -r .status)" = alive ] || fail "no plain HTTP on loopback"
cli_plain 3 --url "https://127.0.0.1:$port" status
one_line 'no TLS' 'http://'
rig_stop
RIG_FLAGS=(--api "127.0.0.1:$port" --api-tls always)
rig_start
served "$own/certificate.pem"
cli_plain 3 --url "http://127.0.0.1:$port" status
one_line 'https://'
