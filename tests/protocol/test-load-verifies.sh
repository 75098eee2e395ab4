#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: 16 connections over all reactors that write, zero, unmap, flush and read at random on two
# LUNs read what they wrote, while statistics are taken and other volumes come and go; regions side by
# side (neighbours share a block and an extent) and laid into each other (two connections in nearly
# every extent), CRC32C headers on every second connection. At the end the pool's figures agree with
# its map and the daemon ends with status 0.
# LOAD_SECONDS: each of three runs takes so long (4); LOAD_SEED.
set -euo pipefail
RIG_POOL_SIZE=${RIG_POOL_SIZE:-258MiB} # 2 MiB more than the volumes: freed extents are used again at once
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/../crash/agree.sh"
requires iscsi-ls curl jq

SECONDS_EACH=${LOAD_SECONDS:-4}
SEED=${LOAD_SEED:-$RANDOM}
LOAD=$(rig_bin ashlar-load)
CONNECTIONS=16
rig_init
rig_start
rig_volume a 128MiB 1
rig_volume b 128MiB 2

load() {
    timeout 200 "$LOAD" ${RIG_LOAD_FLAGS[@]+"${RIG_LOAD_FLAGS[@]}"} --seconds "$SECONDS_EACH" \
        --connections "$CONNECTIONS" --lun 1 --lun 2 "$@" "$(rig_url 1)" || fail "ashlar-load $*"
}

# Asks for everything that there is to ask, again and again; each answer must be a 200. Says how often,
# the most sessions and the most reactors that it saw at work.
statistics() {
    local polls=0 sessions=0 reactors=0 seen path
    while [ ! -e "$RIG_DIR/loaded" ]; do
        for path in /metrics /v1/pools /v1/pools/p /v1/volumes /v1/volumes/a /v1/mappings /v1/hosts /readyz; do
            rig_api GET "$path" >"$RIG_DIR/answer" || return 1
        done
        rig_check >"$RIG_DIR/answer" || return 1
        rig_api GET '/v1/sessions?limit=100' >"$RIG_DIR/answer" || return 1
        seen=$(jq '.items | length' "$RIG_DIR/answer")
        sessions=$((seen > sessions ? seen : sessions))
        seen=$(jq '[.items[].reactor] | unique | length' "$RIG_DIR/answer")
        reactors=$((seen > reactors ? seen : reactors))
        polls=$((polls + 1))
    done
    echo "$polls $sessions $reactors"
}

churn() {
    local i=0
    while [ ! -e "$RIG_DIR/loaded" ]; do
        i=$((i + 1))
        rig_volume "churn$i" 64GiB 9 && rig_volume_delete "churn$i" 9 || return 1
    done
}

watch() {
    statistics >"$RIG_DIR/statistics" &
    STATISTICS=$!
    churn &
    CHURN=$!
}

watched() {
    local polls sessions reactors
    touch "$RIG_DIR/loaded"
    wait "$STATISTICS" || { cat "$RIG_DIR/answer"; fail "an API answer while under load"; }
    wait "$CHURN" || fail "volumes cannot come and go under load"
    read -r polls sessions reactors <"$RIG_DIR/statistics"
    echo "statistics taken $polls times: $sessions sessions on $reactors reactors"
    [ "$polls" -ge 2 ] && [ "$sessions" -ge "$CONNECTIONS" ] || fail "too few of them"
    [ "$reactors" = "$RIG_REACTORS" ] || fail "not all of the $RIG_REACTORS reactors have sessions"
}

[ "$RIG_TARGET" = tgt ] || watch
load --seed "$SEED" --expect-zeros --header-digest
load --seed "$((SEED + 1))" --chunk 67
load --seed "$((SEED + 2))" --chunk 8 --depth 32
[ "$RIG_TARGET" = tgt ] || watched
pool_agrees "after the load"
rig_stop
[ "$RIG_TARGET" = tgt ] || [ "$RIG_RC" = 0 ] || fail "the daemon ends with $RIG_RC"
