#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a snapshot holds what its volume held, whatever is written to the volume, is mapped read-only
# and refuses writes; a clone of it, and a clone of a clone, is written without a trace in its base;
# all of that over a restart too.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/lun.sh"
. "$(dirname "$0")/../crash/agree.sh"
requires qemu-io iscsi-inq curl jq
requires_ashlar

rig_init
rig_start
ctl volume create v --pool p --size 64MiB
map v 1
io 1 'write -P 0xa1 0 4M' 'write -P 0xa2 32M 4k' 'flush'
ctl snapshot create v/s
io 1 'write -P 0xb1 1M 1M' 'write -P 0xb2 8M 64k' 'write -P 0xb3 3142k 5k' 'discard 0 512k' 'flush'
map v/s 2
ctl volume clone v/s c
map c 3
io 3 'write -P 0xc1 2M 1M' 'write -P 0xc2 40M 4k' 'flush'
ctl snapshot create c/s
ctl volume clone c/s cc --size 128MiB
map cc 4
io 4 'write -P 0xd1 2560k 64k' 'write -P 0xd2 100M 4k' 'flush'
io 3 'write -P 0xc3 0 64k' 'flush'

all_hold() {
    io 1 'read -P 0 0 512k' 'read -P 0xa1 512k 512k' 'read -P 0xb1 1M 1M' 'read -P 0xa1 2M 1070k' \
        'read -P 0xb3 3142k 5k' 'read -P 0xa1 3147k 949k' 'read -P 0xb2 8M 64k' 'read -P 0xa2 32M 4k'
    io_ro 2 'read -P 0xa1 0 4M' 'read -P 0 4M 28M' 'read -P 0xa2 32M 4k' 'read -P 0 32772k 1M'
    io 3 'read -P 0xc3 0 64k' 'read -P 0xa1 64k 1984k' 'read -P 0xc1 2M 1M' 'read -P 0xa1 3M 1M' \
        'read -P 0 8M 64k' 'read -P 0xa2 32M 4k' 'read -P 0xc2 40M 4k'
    io 4 'read -P 0xa1 0 2M' 'read -P 0xc1 2M 512k' 'read -P 0xd1 2560k 64k' 'read -P 0xc1 2624k 448k' \
        'read -P 0xc2 40M 4k' 'read -P 0 64M 36M' 'read -P 0xd2 100M 4k'
}

# A write that QEMU would not send: it sees that the LUN is write protected.
read_only() {
    if io_try 2 'write -P 0xee 0 4k'; then
        fail "a snapshot is written"
    fi
    grep -qiE 'read.?only|write.?protect|permission' "$RIG_DIR/io" || { cat "$RIG_DIR/io"; fail "it is not said that it is read-only"; }
    refused 'only be read' mapping create v/s h2 --lun 9 --read-only=false
    [ "$(of /v1/mappings/v/s/h1 .read_only)" = true ] || fail "the mapping is not read-only"
}

serial() {
    timeout 20 iscsi-inq -i "$RIG_IQN" -e 1 -c 128 "$(rig_url "$1")" | sed -n 's/.*Serial Number: *\[*\([0-9a-f]*\).*/\1/p'
}

all_hold
read_only
[ "$(serial 1)" = "$(of /v1/volumes/v .serial)" ] || fail "the volume shows another serial number"
[ "$(serial 2)" = "$(of /v1/snapshots/v/s .serial)" ] || fail "the snapshot shows another serial number"
restart
all_hold
read_only

# What they come from goes; they stay.
unmap v
unmap v/s
ctl volume delete v
io 3 'read -P 0xa1 64k 1984k' 'read -P 0xa2 32M 4k'
unmap c
ctl volume delete c
io 4 'read -P 0xa1 0 2M' 'read -P 0xc1 2M 512k' 'read -P 0xd1 2560k 64k' 'read -P 0xc2 40M 4k'
restart
io 4 'read -P 0xa1 0 2M' 'read -P 0xc1 2M 512k' 'read -P 0xd1 2560k 64k' 'read -P 0xc2 40M 4k'
unmap cc
ctl volume delete cc
used_becomes 0
pool_agrees "after all is deleted"
