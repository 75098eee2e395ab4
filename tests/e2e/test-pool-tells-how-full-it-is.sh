#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a pool tells once that its use came up to a threshold and once that it is below again, by an event and in the
# log; thresholds are set, refused by what is accepted, and kept over a kill, after which nothing is told again; while
# it fills the API says in how many seconds it is full, at which rate, and since when that is known.
set -euo pipefail
RIG_POOL_SIZE=16MiB # 255 extents of 64 KiB beside the superblock's
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/../lib/ask.sh"
requires curl jq qemu-io iscsi-ls
requires_ashlar
rig_init
. "$(dirname "$0")/lun.sh"

pool() {
    of /v1/pools/p "$1"
}

# told TYPE: the percents that events of this type have told of.
told() {
    of "/v1/events?limit=1000&type=pool.usage_$1" '[.items[].data.percent] | join(" ")'
}
is_told() {
    [ "$(told "$1")" = "$2" ]
}

rig_start
rig_volume v 64MiB 1
[ "$(pool '.usage_thresholds | join(" ")')" = '75 90' ] || fail "the thresholds are $(pool .usage_thresholds)"
[ "$(pool .full_in_s)" = null ] || fail "an empty pool is full in $(pool .full_in_s)"

# --- told once up, once down ---
io 1 'write 0 13M' flush # 208 of 255: 81 %
eventually '75 % is not told' is_told reached 75
io 1 'write 13M 2M' flush # 240: 94 %
eventually '90 % is not told' is_told reached '75 90'
io 1 'discard 0 4M' flush
eventually 'it is not told that it is below' is_told left '75 90'
grep -q 'msg="pool usage reached" pool=p percent=90' "$RIG_DIR/daemon.log" || fail "the log does not tell of 90 %"

# --- set, refused, kept ---
refused 'usage-threshold.*accepted: .*percent' pool change p --usage-threshold 101
refused 'usage-threshold.*accepted: .*percent' pool change p --usage-threshold 90 --usage-threshold 50
[ "$(pool '.usage_thresholds | join(" ")')" = '75 90' ] || fail "what was refused was taken"
ctl pool change p --usage-threshold 50 --usage-threshold 95
eventually 'a new threshold that is reached is not told' is_told reached '75 90 50'
rig_kill
rig_start
[ "$(pool '.usage_thresholds | join(" ")')" = '50 95' ] || fail "after the kill they are $(pool .usage_thresholds)"
sleep 2 # four looks
is_told reached '' || fail "after a start it is told again: $(told reached)"

# --- the forecast: 64 KiB a second ---
io 1 'discard 0 64M' flush
rig_stop
rig_start
for i in $(seq 45); do
    io 1 "write $((i * 64))k 64k"
    [ "$(pool .full_in_s)" = null ] || break
    sleep 1
done
forecast=$(pool '"\(.full_in_s) \(.fill_bytes_per_s) \(.free) \(.watched_since)"')
read -r full_s rate free since <<<"$forecast"
[ "$full_s" != null ] || fail "nothing is forecast: $forecast"
[ "$since" != null ] || fail "it is not told since when it is known: $forecast"
[ $((full_s * rate)) -ge $((free - rate - full_s)) ] && [ $(((full_s - 1) * rate)) -le "$free" ] ||
    fail "the forecast is not what is free at this rate: $forecast"
echo "told of 75, 90 and 50 %; full in $full_s s at $rate bytes a second"
