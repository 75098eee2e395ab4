#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 4 KiB random reads, depth 32, one connection, of Ashlar and of tgt's aio back end side by side: the same
# data, files on the same file system, the same client (iscsi-perf), runs interleaved A B A B on one
# machine in one go. Prints each run, the medians, the ratio and the processor time of each target.
# It judges nothing unless --at-least is given: a figure means something on a quiet machine only.
# Usage: randread-beside-tgt.sh [--seconds 4] [--rounds 7] [--size 1GiB] [--at-least RATIO] [--only TARGET]
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
export RIG_TARGET=none
. "$HERE/../lib/rig.sh"
requires iscsi-perf iscsi-ls qemu-img tgtd curl

SECONDS_EACH=4 ROUNDS=7 SIZE=1GiB AT_LEAST='' TARGETS=(ashlar tgt)
while [ $# -gt 0 ]; do
    case $1 in
    --seconds) SECONDS_EACH=$2 ;;
    --rounds) ROUNDS=$2 ;;
    --size) SIZE=$2 ;;
    --at-least) AT_LEAST=$2 ;;
    --only) read -ra TARGETS <<<"$2" ;;
    *) fail "unknown: $1" ;;
    esac
    shift 2
done

# A target with a rig of its own, until the hold file goes. Tells its URL and process.
serve() (
    RIG_TARGET=$1 RIG_BSTYPE=aio RIG_POOL_SIZE=4GiB
    . "$HERE/../lib/rig.sh"
    rig_init
    rig_start
    rig_volume v "$SIZE" 1
    qemu-img convert -n -f raw "$DATA" --target-image-opts \
        "driver=raw,file.driver=iscsi,file.transport=tcp,file.portal=127.0.0.1:$RIG_PORT,file.target=$RIG_NAME,file.lun=1,file.initiator-name=$RIG_IQN"
    echo "$(rig_url 1) $RIG_PID" >"$BENCH/$1.tmp"
    mv "$BENCH/$1.tmp" "$BENCH/$1.ready"
    while [ -e "$BENCH/hold" ] && rig_alive; do
        sleep 0.2
    done
    rig_stop
)

BENCH=$(mktemp -d "${TMPDIR:-/tmp}/ashlar-bench.XXXXXX")
DATA=$BENCH/data
finish() {
    rm -f "$BENCH/hold"
    wait || true
    rm -rf "$BENCH"
}
trap finish EXIT
touch "$BENCH/hold"
truncate -s "${SIZE%iB}" "$DATA"
openssl enc -aes-128-ctr -nosalt -K 00000000000000000000000000000001 -iv 0 </dev/zero 2>/dev/null |
    dd of="$DATA" bs=1M count="$(($(stat -c %s "$DATA") >> 20))" iflag=fullblock conv=notrunc status=none || true

for target in "${TARGETS[@]}"; do
    serve "$target" >"$BENCH/$target.log" 2>&1 &
    for _ in $(seq 600); do
        [ ! -e "$BENCH/$target.ready" ] || break
        sleep 0.1
    done
    [ -e "$BENCH/$target.ready" ] || { cat "$BENCH/$target.log"; fail "$target does not start"; }
done
rm -f "$DATA"
sync

# Processor time of the process so far, in milliseconds.
cpu_ms() {
    awk -v hz="$(getconf CLK_TCK)" '{sub(/.*\) /, ""); printf "%d", ($12 + $13) * 1000 / hz}' "/proc/$1/stat"
}

run() {
    local target=$1 url pid before after iops
    read -r url pid <"$BENCH/$target.ready"
    before=$(cpu_ms "$pid")
    timeout $((SECONDS_EACH + 20)) iscsi-perf -i "$RIG_IQN" -m 32 -b 8 -r -t "$SECONDS_EACH" "$url" >"$BENCH/out" 2>&1 ||
        { cat "$BENCH/out"; fail "iscsi-perf on $target"; }
    after=$(cpu_ms "$pid")
    iops=$(tr '\r' '\n' <"$BENCH/out" | sed -n 's/.*iops average \([0-9]*\).*/\1/p' | tail -n 1)
    echo "$iops" >>"$BENCH/$target.iops"
    awk -v ms=$((after - before)) -v n=$((iops * SECONDS_EACH)) \
        'BEGIN {printf "%.2f\n", ms / 1000 * 100000 / n}' >>"$BENCH/$target.cpu"
    printf '  %-7s %8s IOPS, %5s processor-s per 100,000 reads\n' "$target" "$iops" "$(tail -n 1 "$BENCH/$target.cpu")"
}

median() {
    sort -n "$1" | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'
}

echo "4 KiB random read, depth 32, 1 connection, $SIZE, $ROUNDS rounds of $SECONDS_EACH s, $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg)"
for _ in $(seq "$ROUNDS"); do
    for target in "${TARGETS[@]}"; do
        run "$target"
    done
done
for target in "${TARGETS[@]}"; do
    printf 'median %-7s %8s IOPS, %s processor-s per 100,000 reads\n' "$target" \
        "$(median "$BENCH/$target.iops")" "$(median "$BENCH/$target.cpu")"
done
[ "${#TARGETS[@]}" = 2 ] || exit 0
RATIO=$(awk -v a="$(median "$BENCH/ashlar.iops")" -v b="$(median "$BENCH/tgt.iops")" 'BEGIN {printf "%.2f", a / b}')
echo "ratio ashlar / tgt-aio: $RATIO"
[ -z "$AT_LEAST" ] || awk -v r="$RATIO" -v l="$AT_LEAST" 'BEGIN {exit !(r >= l)}' || fail "under $AT_LEAST"
