#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a deleted volume lies in the trash over restarts and comes back with what it and its
# snapshots held, under another name if its own is taken; purged, or when its time is over, it is gone
# and its space is free.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/lun.sh"
. "$(dirname "$0")/../crash/agree.sh"
requires qemu-io curl jq
requires_ashlar

rig_init
RIG_FLAGS+=(--trash-retention 1h)
rig_start
ctl volume create v --pool p --size 64MiB --label owner=a
map v 1
io 1 'write -P 0xa1 0 4M' 'flush'
ctl snapshot create v/s
io 1 'write -P 0xb1 1M 1M' 'flush'
refused 'v is mapped' volume delete v
unmap v
naa=$(of /v1/volumes/v .naa)
used=$(of /v1/pools/p .used)

ctl volume delete v
refused 'no volume v' volume show v
refused 'no snapshot v/s' snapshot show v/s
refused 'there is no volume v' mapping create v h1
[ "$(of /v1/trash '[.items[].name] | join(" ")')" = v ] || fail "it is not in the trash"
[ "$(of /v1/trash/v '(.purge | fromdate) - (.trashed | fromdate)')" = 3600 ] || fail "it has another time"
used_becomes "$used"
restart
[ "$(of /v1/trash '[.items[].name] | join(" ")')" = v ] || fail "it is not in the trash after a restart"

ctl volume create v --pool p --size 1MiB
refused '(v exists|name)' trash restore v
ctl trash restore v --name old
is_back() {
    [ "$(of /v1/volumes/old '[.naa, .labels.owner, .snapshot_count] | join(" ")')" = "$naa a 1" ] || fail "it came back as another"
    map old 2
    map old/s 3
    io 2 'read -P 0xa1 0 1M' 'read -P 0xb1 1M 1M' 'read -P 0xa1 2M 2M' 'read -P 0 4M 60M'
    io_ro 3 'read -P 0xa1 0 4M' 'read -P 0 4M 60M'
    unmap old
    unmap old/s
}
is_back
restart
is_back

# Two of one name are told apart by their ids.
ctl volume delete v
ctl volume change old --name v
ctl volume delete v
refused 'no single volume in the trash that has the id or the name v' trash show v
id=$(of /v1/trash ".items[] | select(.naa == \"$naa\") | .id")
ctl trash restore "$id"
[ "$(of /v1/volumes/v .naa)" = "$naa" ] || fail "the other came back"
ctl volume delete v
ctl trash purge "$id"
used_becomes 0
pool_agrees "after the purge"

# Its time is over while nobody runs.
ctl volume create late --pool p --size 16MiB
map late 1
io 1 'write -P 0xa1 0 4M' 'flush'
unmap late
ctl trash purge v
ctl volume delete late
RIG_FLAGS+=(--trash-retention 1s)
rig_stop
sleep 1.1
rig_start
for _ in $(seq 100); do
    [ "$(of /v1/trash '.items | length')" != 0 ] || break
    sleep 0.1
done
[ "$(of /v1/trash '.items | length')" = 0 ] || fail "its time is over and it is there still"
used_becomes 0
pool_agrees "after its time"

# No trash: deleted is gone.
RIG_FLAGS+=(--trash-retention 0)
restart
ctl volume create v --pool p --size 1MiB
ctl volume delete v
[ "$(of /v1/trash '.items | length')" = 0 ] || fail "there is a trash"
