#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What bench_first_write measures, of qcow2: a thin image of 64 GiB served by qemu-nbd with O_DIRECT and
# io_uring, fio's nbd engine as the client, random 4 KiB writes of depth 32: first to clusters that the image
# does not have yet, over them again, then after an internal snapshot. Prints IOPS and ratios; judges nothing.
# Usage: first-write-of-qcow2.sh [--seconds 30] [--depth 32] [--size 64G]
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
export RIG_TARGET=none
. "$HERE/../lib/rig.sh"
requires qemu-img qemu-nbd fio jq
fio --enghelp | grep -qw nbd || {
    echo "SKIP: fio has no nbd engine"
    exit 77
}

SECONDS_EACH=30 DEPTH=32 SIZE=64G
while [ $# -gt 0 ]; do
    case $1 in
    --seconds) SECONDS_EACH=$2 ;;
    --depth) DEPTH=$2 ;;
    --size) SIZE=$2 ;;
    *) fail "unknown: $1" ;;
    esac
    shift 2
done

BENCH=$(mktemp -d "${TMPDIR:-/tmp}/ashlar-bench.XXXXXX")
NBD_PID=
stop() {
    [ -z "$NBD_PID" ] || {
        kill "$NBD_PID" 2>/dev/null || true
        wait "$NBD_PID" 2>/dev/null || true
        NBD_PID=
    }
}
trap 'stop; rm -rf "$BENCH"' EXIT

serve() {
    rm -f "$BENCH/nbd"
    qemu-nbd --socket="$BENCH/nbd" --format=qcow2 --cache=none --aio=io_uring --persistent "$BENCH/image" &
    NBD_PID=$!
    for _ in $(seq 100); do
        [ ! -S "$BENCH/nbd" ] || return 0
        sleep 0.1
    done
    fail "qemu-nbd does not start"
}

# phase SEED: IOPS. The same seed writes to the same places in the same order, each a cluster's (64 KiB) first
# block. fio notes no places with such an alignment: some come twice, which is in qcow2's favour.
phase() {
    fio --name=w --ioengine=nbd --uri="nbd+unix:///?socket=$BENCH/nbd" --rw=randwrite --bs=4k --blockalign=64k \
        --size="$SIZE" --iodepth="$DEPTH" --runtime="$SECONDS_EACH" --time_based --randseed="$1" \
        --output-format=json --output="$BENCH/out" >/dev/null
    sed -n '/^{/,$p' "$BENCH/out" | jq '.jobs[0].write.iops | round'
}

ratio() {
    awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / b}'
}

qemu-img create -q -f qcow2 "$BENCH/image" "$SIZE"
serve
fresh=$(phase 1)
over=$(phase 1)
stop
qemu-img snapshot -c s "$BENCH/image"
serve
after=$(phase 1)
again=$(phase 1)
stop
echo "| qcow2: first write to a cluster; overwrite; ratio | $fresh IOPS; $over IOPS; $(ratio "$over" "$fresh") | - | - |"
echo "| qcow2: first write after a snapshot; overwrite; ratio | $after IOPS; $again IOPS; $(ratio "$again" "$after") | - | - |"
