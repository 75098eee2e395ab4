#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Creates of volumes through the API, in one run on one disk: over one connection, beside the rate at which
# the disk commits one row durably (pairs of a second each, the median of their ratios); over one and sixteen connections with 5 ms
# added to each sync of the catalog; and what the latter load does to iSCSI: p99 of 4 KiB random reads with
# and without it. Prints rows of `claim | figure | bound | verdict`; a figure means something on a quiet machine only.
# Usage: api-creates.sh [--seconds 4] [--rounds 3] [--pairs 15] [--judge]
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lib/rig.sh"
requires curl jq iscsi-perf qemu-img
requires_ashlar

SECONDS_EACH=4 ROUNDS=3 PAIRS=15 JUDGE=0
while [ $# -gt 0 ]; do
    case $1 in
    --seconds) SECONDS_EACH=$2; shift ;;
    --rounds) ROUNDS=$2; shift ;;
    --pairs) PAIRS=$2; shift ;;
    --judge) JUDGE=1 ;;
    *) fail "unknown: $1" ;;
    esac
    shift
done

rig_init
CREATES=$(rig_bin ashlar-api-creates) || exit 1
PRELOAD=$ASHLAR_BUILD/tests/bench/libashlar_slow_sync.so
SERIAL=0
FAILED=0

median() {
    sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'
}

# creates CONNECTIONS: the rate.
creates() {
    SERIAL=$((SERIAL + 1))
    "$CREATES" --socket "$RIG_DIR/api.sock" --name "n$SERIAL" --connections "$1" --seconds "$SECONDS_EACH" |
        awk '{print $2}'
}

# row CLAIM FIGURE BOUND CONDITION: the condition is awk's.
row() {
    local verdict=-
    if [ "$JUDGE" = 1 ] && [ -n "$4" ]; then
        verdict=PASS
        awk "BEGIN {exit !($4)}" || { verdict=FAIL; FAILED=1; }
    fi
    echo "| $1 | $2 | $3 | $verdict |"
}

# p99_us [COMMAND...]: of 4 KiB reads while the command runs, as the session's own figures have it.
p99_us() {
    local load=
    [ $# = 0 ] || { "$@" >/dev/null 2>&1 & load=$!; }
    timeout $((SECONDS_EACH + 20)) iscsi-perf -i "$RIG_IQN" -m 8 -b 8 -r -t "$SECONDS_EACH" "$(rig_url 1)" \
        >"$RIG_DIR/perf" 2>&1 &
    local perf=$!
    sleep "$(awk "BEGIN {print $SECONDS_EACH * 0.8}")"
    rig_api GET /v1/sessions | jq '[.items[].latency.read.p99_us // empty] | max'
    wait "$perf" || true
    [ -z "$load" ] || wait "$load" || true
}

# Pairs of a second or so, each judged by itself: a disk's pace changes from one minute to the next.
one_beside_commits() {
    local pair a b
    for pair in $(seq "$PAIRS"); do
        a=$("$CREATES" --commits "$RIG_DIR/commits.db" --seconds 1 | awk '{print $2}')
        b=$("$CREATES" --socket "$RIG_DIR/api.sock" --name "one$pair" --connections 1 --seconds 1 | awk '{print $2}')
        echo "$a" >>"$RIG_DIR/commits"
        echo "$b" >>"$RIG_DIR/ones"
        awk "BEGIN {printf \"%.3f\\n\", $b / $a}" >>"$RIG_DIR/ratios"
    done
}

# Random bytes all over, so that reads are of the disk.
write_all() {
    head -c 64M /dev/urandom >"$RIG_DIR/data"
    qemu-img convert -n -f raw "$RIG_DIR/data" --target-image-opts \
        "driver=raw,file.driver=iscsi,file.transport=tcp,file.portal=127.0.0.1:$RIG_PORT,file.target=$RIG_NAME,file.lun=1,file.initiator-name=$RIG_IQN"
}

rig_start
rig_volume iscsi 64MiB 1
write_all
one_beside_commits
c=$(median <"$RIG_DIR/commits") o=$(median <"$RIG_DIR/ones") r=$(median <"$RIG_DIR/ratios")
row "creates a second over one connection, of one-row commits: $PAIRS pairs" "$r ($o, $c)" ">= 0.5" "$r >= 0.5"
quiet=$(p99_us)
loaded=$(p99_us "$CREATES" --socket "$RIG_DIR/api.sock" --name load --connections 16 --seconds "$SECONDS_EACH")
row "p99 of 4 KiB reads over iSCSI, quiet / beside 16 connections that create" "$quiet / $loaded us" "-" ""
rig_stop

export SLOW_SYNC_MS=5 LD_PRELOAD=$PRELOAD
rig_start
unset LD_PRELOAD
for round in $(seq "$ROUNDS"); do
    creates 1 >>"$RIG_DIR/slow1"
    creates 16 >>"$RIG_DIR/slow16"
done
s1=$(median <"$RIG_DIR/slow1") s16=$(median <"$RIG_DIR/slow16")
row "creates over 16 connections, of one's, each sync of the catalog 5 ms longer" "$s16 of $s1" ">= 8" "$s16 / $s1 >= 8"
exit "$FAILED"
