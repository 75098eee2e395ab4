#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a volume grows under its initiators, who read the new capacity and zeros in the new part; it
# shrinks with leave only, and what was beyond the new end never comes back; names, labels and
# protection change at once, its identity does not; all of that over a restart too.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/lun.sh"
. "$(dirname "$0")/../crash/agree.sh"
requires qemu-io iscsi-readcapacity16 curl jq
requires_ashlar

rig_init
rig_start
ctl volume create v --pool p --size 16MiB --label owner=a --label tier=gold
map v 1
io 1 'write -P 0xa1 0 16M' 'flush'
naa=$(of /v1/volumes/v .naa)

# capacity BYTES: what READ CAPACITY(16) says.
capacity() {
    local got
    got=$(timeout 20 iscsi-readcapacity16 -i "$RIG_IQN" "$(rig_url 1)" | sed -n 's/^Total size: *//p')
    [ "$got" = "$1" ] || fail "READ CAPACITY says $got, not $1"
}

capacity 16777216
ctl volume change v --size 48MiB
capacity 50331648
io 1 'read -P 0xa1 0 16M' 'read -P 0 16M 32M' 'write -P 0xa2 40M 1M' 'flush'
restart
capacity 50331648
io 1 'read -P 0xa1 0 16M' 'read -P 0 16M 24M' 'read -P 0xa2 40M 1M'

refused '--size 8MiB: .*allow_data_loss' volume change v --size 8MiB
refused '--size 8MiB: .*allow_data_loss' volume change v --size 8MiB --name w
[ "$(of /v1/volumes/v .size)" = 50331648 ] || fail "a refused change changed the size"
ctl volume change v --protected
refused 'v is protected' volume change v --size 8MiB --allow-data-loss
ctl volume change v --protected=false --size 8MiB --allow-data-loss
capacity 8388608
if io_try 1 'read 8M 4k'; then
    fail "beyond the end is read"
fi
io 1 'read -P 0xa1 0 8M'
restart
capacity 8388608
ctl volume change v --size 48MiB
io 1 'read -P 0xa1 0 8M' 'read -P 0 8M 40M'
used_becomes 8388608

# Name, labels and flags in one; a name that is taken changes nothing of it.
ctl volume create taken --pool p --size 1MiB
refused '--name taken: .*exists' volume change v --name taken --label owner=x
[ "$(of /v1/volumes/v .labels.owner)" = a ] || fail "a refused change changed a label"
ctl snapshot create v/s --label why=x
ctl volume change v --name web01 --label owner=b --protected --zero-detect

is_changed() {
    [ "$(of /v1/volumes/web01 '[.naa, .labels.owner, (.labels | length), .protected, .zero_detect] | join(" ")')" = \
        "$naa b 1 true true" ] || fail "not what was changed: $(of /v1/volumes/web01 .)"
    [ "$(of /v1/snapshots/web01/s .labels.why)" = x ] || fail "the snapshot lost its label"
    [ "$(of /v1/mappings/web01/h1 .lun)" = 1 ] || fail "the mapping is lost"
    io 1 'read -P 0xa1 0 8M'
}
is_changed
restart
is_changed
unmap web01
refused 'web01 is protected' volume delete web01
refused 'web01 is protected' volume delete web01 --purge
ctl volume change web01 --protected=false
ctl snapshot change web01/s --protected
refused 's is protected' volume delete web01
refused 's is protected' snapshot delete web01/s
ctl snapshot change web01/s --protected=false
ctl volume delete web01
used_becomes 0
pool_agrees "after all is deleted"
