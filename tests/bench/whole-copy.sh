#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A full volume is copied inside its pool, over iSCSI by EXTENDED COPY: a segment a command, and 16 (a daemon that was just
# started each time, whose map is not in memory), and by the API; then a GiB by qemu-img convert -C, which is slower and takes
# pieces of its own. The volume is one that was written from the first block to the last; what it costs where each extent lies
# elsewhere, so that no two are shared as one run, is shown and not judged. The maps are made, not written, so that what is shared
# costs no disk I/O of data. Prints rows of `claim | figure | bound | verdict`.
# Usage: whole-copy.sh [--size-gib 100] [--judge]
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lib/rig.sh"
. "$HERE/../e2e/lun.sh"
requires curl jq qemu-img
requires_ashlar

GIB=100 JUDGE=0 FAILED=0 BOUND_MS=1000
while [ $# -gt 0 ]; do
    case $1 in
    --size-gib) GIB=$2; shift ;;
    --judge) JUDGE=1 ;;
    *) fail "unknown: $1; accepted: --size-gib, --judge" ;;
    esac
    shift
done

RIG_POOL_SIZE=$((GIB * 2))GiB

# begin [in-order]: a new pool with the volume and what it is copied to.
begin() {
    local lun=1 to
    rm -rf "$RIG_DIR/state" "$RIG_DIR/pool.img"
    RIG_PORT=
    rig_start
    ctl volume create from --pool p --size "${GIB}GiB"
    rig_stop
    "$(rig_bin ashlar-fill-map)" "$RIG_DIR/state" ffff "$@" >&2
    rig_start
    map from 1
    for to in one sixteen qemu; do
        lun=$((lun + 1))
        ctl volume create $to --pool p --size "${GIB}GiB"
        map $to $lun
    done
}

# row CLAIM FIGURE MILLISECONDS
row() {
    local verdict=-
    if [ "$JUDGE" = 1 ] && [ "$3" != - ]; then
        verdict=PASS
        [ "$3" -lt $BOUND_MS ] || { verdict=FAIL; FAILED=1; }
    fi
    echo "| $1 | $2 | $([ "$3" = - ] && echo - || echo "< $BOUND_MS ms") | $verdict |"
}

# shared VOLUME: all of it is there, and none of it its own.
shared() {
    local used
    used=$(of "/v1/volumes/$1" .used)
    [ "$used" = $((GIB * 1024 * 1024 * 1024)) ] || fail "of the copy $1 $used bytes are there"
    [ "$(of /v1/pools/p .used)" -le $((GIB * 1024 * 1024 * 1024)) ] || fail "the pool has $(of /v1/pools/p .used) bytes in use"
}

ms_of() { sed 's/.*, \([0-9]*\)\.\([0-9]*\) s,.*/\1\2/; s/^0*\(.\)/\1/' <<<"$1"; }

# by_xcopy VOLUME SEGMENTS [HOW]: HOW: not judged.
by_xcopy() {
    local took
    restart
    took=$(timeout 300 "$(rig_bin ashlar-whole-copy)" "$RIG_IQN" "$(rig_url 1)" "$(of /v1/volumes/from .naa)" \
        "$(of "/v1/volumes/$1" .naa)" "$GIB" "$2") || fail "ashlar-whole-copy to $1"
    row "$GIB GiB by EXTENDED COPY, $2 segment(s) a command${3:+, $3}" "$took" "$([ -z "${3:-}" ] && ms_of "$took" || echo -)"
    shared "$1"
}

# took_ms COMMAND...
took_ms() {
    local began
    began=$(date +%s%N)
    "$@" >&2 || fail "$*"
    echo $((($(date +%s%N) - began) / 1000000))
}

by_api() {
    rig_api POST /v1/volumes/from/copy '{"name": "api"}' | jq -r .id >"$RIG_DIR/job"
    until [ "$(of "/v1/jobs/$(cat "$RIG_DIR/job")" .state)" != running ]; do :; done
}

by_qemu() {
    timeout 60 qemu-img convert -n -C --image-opts "$(lun 1),size=1073741824" \
        --target-image-opts "$(lun 4),size=1073741824"
}

rig_init
begin in-order
by_xcopy one 1
by_xcopy sixteen 16
ms=$(took_ms by_api)
row "$GIB GiB by the API, until its job has ended" "$ms ms" "$ms"
shared api
ms=$(took_ms by_qemu)
row "1 GiB by qemu-img convert -C" "$ms ms" -
rig_stop
begin
by_xcopy one 1 "each extent lies elsewhere"
exit "$FAILED"
