#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Linux kernel's initiator (open-iscsi) logs in with each CHAP algorithm, both sides proven, and with
# digests, under which it reads back what it wrote; a wrong secret of either side is refused.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$here/../lib/rig.sh"
# shellcheck source=tests/guest/initiator.sh
. "$here/initiator.sh"
initiator_requires

rig_init
RIG_FLAGS+=("${INITIATOR_FLAGS[@]}")
rig_start
rig_volume v 64MiB 1
echo target-secret-1 >"$RIG_DIR/mutual"
rig_ctl host change h1 --auth chap --user hv1 --secret-file - --mutual-user box \
    --mutual-secret-file "$RIG_DIR/mutual" <<<initiator-secret >/dev/null

initiator_boot login 200
for algorithm in MD5 SHA1 SHA256 SHA3-256; do
    initiator_expect "chap=$algorithm"
    seen=$(initiator_sessions '.items[] | "\(.auth.method) \(.auth.algorithm) \(.auth.mutual)"')
    [ "$seen" = "chap ${algorithm,,} true" ] || fail "$algorithm: the session shows: $seen"
    initiator_tell next
done
initiator_expect "digests=on"
seen=$(initiator_sessions '.items[].negotiated | "\(.header_digest) \(.data_digest)"')
[ "$seen" = "true true" ] || fail "digests: the session shows: $seen"
initiator_tell next
initiator_end
