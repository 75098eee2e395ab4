#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sg3_utils on a disk of the Linux kernel's initiator: every page that VPD 00h lists can be read, mode pages and
# capacity agree, every opcode that is reported with mask and timeout is there and others are not, blocks are
# unmapped, zeroed, verified and told of; identifier and serial number are those of the API.
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
initiator_boot sg3 360
initiator_end
rig_api GET /v1/volumes/v >"$RIG_DIR/volume"
for member in naa serial; do
    told=$(guest_value "$INITIATOR_CONSOLE" $member)
    [ "$told" = "$(jq -r .$member "$RIG_DIR/volume")" ] || fail "the $member is told as $told"
done
[ "$(guest_value "$INITIATOR_CONSOLE" bytes)" = $((64 << 20)) ] || fail "another size is told"
for key in pages modes opcodes; do
    printf '%s %s; ' $key "$(guest_value "$INITIATOR_CONSOLE" $key)"
done
echo
