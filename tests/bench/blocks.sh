#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How fast a list of blocks is: of a volume of as many extents as --extents says (a power of two), each of
# which is a range of its own, all that is there and the difference of two snapshots of which all is
# different; and of a volume of 64 TiB with one block written. The map is made, not written.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/../e2e/lun.sh"
requires curl jq qemu-io
requires_ashlar

EXTENTS=1048576
while [ $# -gt 0 ]; do
    case $1 in
    --extents) EXTENTS=$2; shift 2 ;;
    *) fail "unknown option $1; accepted: --extents" ;;
    esac
done
MIB=$((EXTENTS / 16))
RIG_POOL_SIZE=$((MIB * 2))MiB
rig_init
rig_start
ctl volume create v --pool p --size ${MIB}MiB
ctl snapshot create v/a # of nothing
rig_stop
"$(rig_bin ashlar-fill-map)" "$RIG_DIR/state" 1
rig_start
ctl volume create empty --pool p --size 64TiB
map empty 1
io 1 'write 35184372088832 4k' 'flush'

# took WHAT PATH: milliseconds to read it to the end, and what its last line says.
took() {
    local begin
    begin=$(date +%s%N)
    curl -sS --unix-socket "$RIG_DIR/api.sock" "http://x$2" >"$RIG_DIR/lines"
    echo "$1: $((($(date +%s%N) - begin) / 1000000)) ms, $(tail -n 1 "$RIG_DIR/lines")"
    tail -n 1 "$RIG_DIR/lines" | jq -e .end >/dev/null || fail "$1 is not whole"
}

took "all that is there" /v1/volumes/v/extents
took "all of it differs" '/v1/volumes/v/diff?from=a'
ctl snapshot create v/b
took "nothing differs" '/v1/volumes/v/diff?from=b'
took "of 64 TiB a block is there" /v1/volumes/empty/extents
