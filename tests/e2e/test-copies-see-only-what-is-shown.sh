#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: EXTENDED COPY reads and writes what its host is shown, and nothing else: another host's volume is not there,
# neither to be read nor to be written, what is mapped read-only and a snapshot are only read, and a volume is not
# there any more once its mapping has gone. What is refused is told with its segment, afterwards too.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/../lib/ask.sh"
. "$(dirname "$0")/lun.sh"
requires qemu-io curl jq
requires_ashlar
answer="" # what ask hears

rig_init
rig_start
rig_volume v 16MiB 1
rig_volume w 16MiB 2
ctl volume create x --pool p --size 16MiB
ctl volume create ro --pool p --size 16MiB
rig_map x h2 3
map ro 4
io 1 'write -P 0x11 0 1M'
io 2 'write -P 0x22 0 1M'
io 4 'write -P 0x44 0 1M'
unmap ro
ctl mapping create ro h1 --lun 4 --read-only
ctl snapshot create v/s
map v/s 5
io 1 'write -P 0x12 0 1M'

declare -A naa
for name in v w x ro; do
    naa[$name]=$(of "/v1/volumes/$name" .naa)
done
naa[s]=$(of /v1/snapshots/v/s .naa)

# list ID FROM TO: one segment of 8 blocks from LBA 8 to LBA 16, in hex.
list() {
    local name
    printf '%02x00%04x%08x%08x%08x' "$1" 64 0 28 0
    for name in "$2" "$3"; do
        printf 'e400000001030010%s00000000%08x' "${naa[$name]}" 512
    done
    printf '02000018000000010000%04x%016x%016x' 8 8 16
}

copy() {
    local data
    data=$(list "$@")
    ask h1 out "$data" "83000000000000000000$(printf %08x $((${#data} / 2)))0000"
}

# refused_with ASC+ASCQ ID FROM TO: COPY ABORTED, in segment 0; and so are the failure's details.
refused_with() {
    local sense details digits
    copy "${@:2}"
    sense=${answer#sense }
    [ "${sense:0:6} ${sense:20:4} ${sense:24:4}" = "70000a 0000 $1" ] || fail "from $3 to $4: $answer, not $1"
    good h1 in 200 "8404$(printf %02x "$2")00000000000000000000c80000"
    details=${answer#good }
    digits=$((16#${details:116:4} * 2)) # without the padding that the answer had
    [ "${details:120:digits}" = "${sense:0:digits}" ] || fail "from $3 to $4: $details is kept of $sense"
}

session h1 "$RIG_IQN" 1
copy 1 v w
[ "$answer" = good ] || fail "from v to w: $answer"
io 2 'read -P 0x22 0 8k' 'read -P 0x12 8k 4k' 'read -P 0x22 12k 4k'
copy 2 s w
[ "$answer" = good ] || fail "from the snapshot to w: $answer"
io 2 'read -P 0x22 0 8k' 'read -P 0x11 8k 4k' 'read -P 0x22 12k 4k'
copy 3 ro w
[ "$answer" = good ] || fail "from ro to w: $answer"
io 2 'read -P 0x22 0 8k' 'read -P 0x44 8k 4k' 'read -P 0x22 12k 4k'

refused_with 0d02 4 x w
refused_with 0d02 5 w x
refused_with 0d01 6 w ro
refused_with 0d01 7 w s
io 2 'read -P 0x22 0 8k' 'read -P 0x44 8k 4k' 'read -P 0x22 12k 4k'
unmap w
ask h1 none 000000000000
refused_with 0d02 8 v w
map x 3
ask h1 none 000000000000
copy 9 v x
[ "$answer" = good ] || fail "from v to x, which is shown now: $answer"
io 3 'read -P 0 0 8k' 'read -P 0x12 8k 4k' 'read -P 0 12k 1M'
echo "5 refused, 4 copied"
