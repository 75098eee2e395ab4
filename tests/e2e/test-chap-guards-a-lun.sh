#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: with credentials libiscsi's tools and qemu-img see the host's LUN, one way and both ways, and
# without them, or with wrong ones, they do not; a changed secret is asked for by the next login while
# a session of before stays; credentials survive a restart; discovery has its own.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls iscsi-inq iscsi-perf qemu-img curl jq
requires_ashlar

rig_init
rig_start
rig_volume v 64MiB 1
printf 'target-secret-1\n' >"$RIG_DIR/mutual"
rig_ctl host change h1 --auth chap --user hv1 --secret-file - --mutual-user box \
    --mutual-secret-file "$RIG_DIR/mutual" <<<initiator-secret >/dev/null

# inq USER%PASSWORD@ (or nothing)
inq() {
    timeout 20 iscsi-inq -i "$RIG_IQN" "iscsi://${1}127.0.0.1:$RIG_PORT/$RIG_NAME/1" >"$RIG_DIR/out" 2>&1
}

sees() {
    inq "$1" || { cat "$RIG_DIR/out"; fail "$2"; }
}

sees_not() {
    ! inq "$1" || fail "$2"
}

good=hv1%initiator-secret@
sees "$good" "good credentials are refused"
sees_not "" "no credentials are needed"
sees_not hv1%initiator-secreT@ "a wrong secret will do"
sees_not hv2%initiator-secret@ "a wrong name will do"
LIBISCSI_CHAP_TARGET_USERNAME=box LIBISCSI_CHAP_TARGET_PASSWORD=target-secret-1 \
    sees "$good" "the target does not prove itself"
LIBISCSI_CHAP_TARGET_USERNAME=box LIBISCSI_CHAP_TARGET_PASSWORD=target-secret-2 \
    sees_not "$good" "the initiator takes any proof"

timeout 20 iscsi-ls -s -i "$RIG_IQN" "iscsi://${good}127.0.0.1:$RIG_PORT" >"$RIG_DIR/out" 2>&1
grep -q '^Lun:1 ' "$RIG_DIR/out" || { cat "$RIG_DIR/out"; fail "iscsi-ls sees no LUN"; }

# Where the block driver of iSCSI is installed.
if qemu-img --help | grep -q '^Supported formats:.* iscsi'; then
    image="driver=iscsi,transport=tcp,portal=127.0.0.1:$RIG_PORT,target=$RIG_NAME,lun=1,initiator-name=$RIG_IQN,user=hv1"
    timeout 20 qemu-img info --object secret,id=s,data=initiator-secret \
        --image-opts "$image,password-secret=s" >"$RIG_DIR/out" 2>&1 ||
        { cat "$RIG_DIR/out"; fail "qemu-img is refused"; }
    ! timeout 20 qemu-img info --object secret,id=s,data=initiator-wrong \
        --image-opts "$image,password-secret=s" >/dev/null 2>&1 || fail "qemu-img needs no secret"
fi

timeout 60 iscsi-perf -i "$RIG_IQN" -t 20 -m 1 -b 8 "iscsi://${good}127.0.0.1:$RIG_PORT/$RIG_NAME/1" \
    >"$RIG_DIR/perf" 2>&1 &
perf=$!
cleanup_fn kill "$perf"
sessions() {
    rig_api GET /v1/sessions | jq '.items | length'
}
for _ in $(seq 100); do
    [ "$(sessions)" = 0 ] || break
    sleep 0.1
done
rig_api GET /v1/sessions | jq -e '.items[0].auth | .method == "chap" and .algorithm != null' >/dev/null ||
    fail "the session does not tell how it was proven"
rig_ctl host change h1 --secret-file - <<<another-secret >/dev/null
sees_not "$good" "the old secret still serves"
sees hv1%another-secret@ "the new secret does not serve"
[ "$(sessions)" = 1 ] || fail "the session of before is gone"
kill "$perf"
wait "$perf" || true

rig_stop
[ "$RIG_RC" = 0 ] || fail "the daemon ends with $RIG_RC"
rig_start
sees hv1%another-secret@ "the secret does not survive a restart"
sees_not "$good" "the old secret is back"

rig_ctl auth change --auth chap --user finder --secret-file - <<<discovery-secret >/dev/null
! timeout 20 iscsi-ls -i "$RIG_IQN" "$(rig_portal_url)" >/dev/null 2>&1 || fail "discovery is open"
timeout 20 iscsi-ls -i "$RIG_IQN" "iscsi://finder%discovery-secret@127.0.0.1:$RIG_PORT" >"$RIG_DIR/out" 2>&1 ||
    { cat "$RIG_DIR/out"; fail "discovery with credentials is refused"; }
grep -q "^Target:$RIG_NAME" "$RIG_DIR/out" || fail "discovery tells no target"
sees hv1%another-secret@ "a normal login needs the credentials of discovery"
rig_ctl initiator list >"$RIG_DIR/out"
grep -q "^$RIG_IQN .*h1" "$RIG_DIR/out" || { cat "$RIG_DIR/out"; fail "refused logins are not listed"; }
