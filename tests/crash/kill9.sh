#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: kill -9 of the daemon during writes loses nothing that an answered flush (or FUA write)
# covered, tears no 4 KiB block and shows nobody's data to another; the daemon starts again by
# itself and its pool's figures agree with its map. ROUNDS times over one growing history: the log of
# answers is kept by a process that lives through every crash.
# Usage: kill9.sh [ROUNDS [SEED]]   (RIG_ENGINE chooses the I/O engine; KILL9_PAGE_CACHE=1: the pool is
# written through the page cache, which outlives the daemon; KILL9_SPOIL is a command run
# while the daemon is dead, with which test-kill9-sees-loss.sh shows that this test can fail)
set -euo pipefail
[ -z "${KILL9_PAGE_CACHE:-}" ] || RIG_POOL_FLAGS=(--page-cache)
RIG_POOL_SIZE=${RIG_POOL_SIZE:-130MiB} # 2 MiB more than the volumes: freed extents are used again at once
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/agree.sh"
requires iscsi-ls curl jq

ROUNDS=${1:-50}
SEED=${2:-$RANDOM}
CRASH=$(rig_bin ashlar-crash)
LUNS=(--lun 1 --lun 2 --seed "$SEED" ${RIG_LOAD_FLAGS[@]+"${RIG_LOAD_FLAGS[@]}"})
# tgt carries out a WRITE SAME sector by sector: a kill halfway tears a block, which it never promised not to.
[ "$RIG_TARGET" != tgt ] || LUNS+=(--no-write-same)
RANDOM=$SEED
BEHIND=0

# The writer in the background; the keeper's pid is waited for, so the journal is whole. Under a
# sanitizer it may take longer to log in than the daemon is left to live: its first record counts.
start_writer() {
    : >"$RIG_DIR/writer.err"
    rm -f "$RIG_DIR/journal"
    ("$CRASH" write "${LUNS[@]}" --generation $((ROUND * 100000 + 1)) --lost-ok --seconds 60 \
        "$URL" 2>"$RIG_DIR/writer.err" || echo "exit $?" >>"$RIG_DIR/writer.err") |
        "$CRASH" keep --journal "$RIG_DIR/journal" &
    KEEPER=$!
    for _ in $(seq 600); do
        [ ! -s "$RIG_DIR/journal" ] || return 0
        sleep 0.05
    done
    fail "the writer does not write, round $ROUND"
}

milliseconds() {
    sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
}

# Every fifth time the daemon is killed once more while it is starting up.
start_again() {
    if [ $((ROUND % 5)) = 0 ]; then
        "rig_${RIG_TARGET}_spawn"
        milliseconds $((RANDOM % 120))
        rig_kill
    fi
    rig_start
}

check() {
    local line
    line=$("$CRASH" check "${LUNS[@]}" --journal "$RIG_DIR/journal" --state "$RIG_DIR/state.tags" \
        "$URL" 2>"$RIG_DIR/check.err") || {
        cat "$RIG_DIR/check.err"
        fail "round $ROUND of seed $SEED: $line"
    }
    echo "round $ROUND: $line"
    line=${line#*data, }
    BEHIND=$((BEHIND + ${line%% *}))
}

rig_init
rig_start
rig_volume a 64MiB 1
rig_volume b 64MiB 2
URL=$(rig_url 1)
for ROUND in $(seq "$ROUNDS"); do
    start_writer
    milliseconds $((RANDOM % 1000))
    rig_kill
    wait "$KEEPER" || fail "the keeper"
    [ ! -s "$RIG_DIR/writer.err" ] || { cat "$RIG_DIR/writer.err"; fail "the writer, round $ROUND"; }
    eval "${KILL9_SPOIL:-}"
    start_again
    check
    pool_agrees "round $ROUND"
done
echo "kill -9: $ROUNDS rounds, seed $SEED, engine $RIG_ENGINE: 0 promises broken," \
    "$BEHIND unflushed blocks were found older, as they may"
