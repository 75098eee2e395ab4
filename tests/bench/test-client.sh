#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ashlar-bench does what it is asked: counts, places that are visited once, a pace that is not exceeded, flushes, several
# sessions, threads and units, digests; it notices data that is not what it wrote, and words that make no sense.
# How fast is nobody's business here.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lib/rig.sh"
requires curl jq
requires_ashlar

RIG_POOL_SIZE=256MiB
rig_init
BENCH=$(rig_bin ashlar-bench) || exit 1
rig_start
rig_volume v 8MiB 1
rig_volume w 8MiB 2

# bench OPTION... URL...: its JSON goes to the file `told`.
bench() {
    timeout 60 "$BENCH" --target-pid "$RIG_PID" "$@" >"$RIG_DIR/out" || fail "ashlar-bench $*"
    head -n 1 "$RIG_DIR/out" >"$RIG_DIR/told"
}

# tells CONDITION: of jq, about the last run.
tells() {
    jq -e "$1" "$RIG_DIR/told" >/dev/null || fail "not so: $1: $(cat "$RIG_DIR/told")"
}

bench --count 500 --sessions 4 --depth 8 --threads 2 "$(rig_url 1)" "$(rig_url 2)"
tells '.commands == 2000 and .read_iops > 0 and .write_iops == null and .target_cpu_s >= 0'
tells '.p50_us > 0 and .p50_us <= .p99_us and .p99_us <= .p999_us and .p999_us <= .max_us'

bench --once --read-percent 0 --sessions 2 "$(rig_url 1)"
tells '.commands == 2048'
used=$(rig_api GET /v1/volumes/v | jq .used)
[ "$used" = $((8 << 20)) ] || fail "each place once: $used bytes are there"
bench --once --sequential --read-percent 0 --block 1M "$(rig_url 2)"
tells '.commands == 8'

bench --rate 500 --sessions 3 --ramp 0.1 --seconds 0.5 --read-percent 50 "$(rig_url 1)"
tells '.commands > 0 and .commands <= 500 * (.seconds + 2)' # a ramp that lasted longer, on a busy machine, among it

bench --count 20 --read-percent 0 --flush-every 5 --depth 1 "$(rig_url 1)"
tells '(.commands == 20) and (.flush_iops / .iops * .commands | round) == 4'

bench --verify --count 2000 --read-percent 50 --sessions 4 --digests header "$(rig_url 1)"
tells '.commands == 8000'
# The other initiator, past what it may send unasked, with more commands open than the target's window has.
WIRE=$(rig_bin ashlar-bench-wire) || exit 1
BENCH=$WIRE bench --verify --count 1000 --read-percent 50 --sessions 2 --depth 256 --digests both "$(rig_url 1)"
tells '.commands == 2000'
BENCH=$WIRE bench --verify --count 20 --read-percent 50 --block 1M --depth 3 --digests both "$(rig_url 1)"
tells '.commands == 20'
BENCH=$WIRE bench --count 20 --read-percent 0 --flush-every 5 --depth 1 "$(rig_url 1)"
tells '(.flush_iops / .iops * .commands | round) == 4'

# Beside another that it does not know of.
timeout 60 "$BENCH" --verify --seconds 20 --read-percent 50 --seed 2 "$(rig_url 1)" >"$RIG_DIR/other" 2>&1 &
OTHER=$!
cleanup_fn kill "$OTHER"
rc=0
timeout 60 "$BENCH" --verify --seconds 20 --read-percent 50 "$(rig_url 1)" >"$RIG_DIR/out" 2>&1 || rc=$?
[ "$rc" = 1 ] || fail "data of another went by: $rc"
grep -q 'wrong data: lba .* is wanted, there is' "$RIG_DIR/out" || fail "it is not told what was wrong: $(cat "$RIG_DIR/out")"

for words in "--depth 0" "--block 5000" "--digests data" "--ramp 1 --once" "--seconds 0" "--nonsense"; do
    rc=0
    # shellcheck disable=SC2086 # words
    timeout 10 "$BENCH" $words "$(rig_url 1)" >"$RIG_DIR/out" 2>&1 || rc=$?
    [ "$rc" = 64 ] || fail "$words: $rc"
done
