#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: SIGTERM in the middle of writes ends the daemon by itself with status 0 in bounded time, and
# everything that it had answered a flush for is there after the next start. Three times.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls curl

CRASH=$(rig_bin ashlar-crash)
SEED=$RANDOM
LUNS=(--lun 1 --seed "$SEED" ${RIG_LOAD_FLAGS[@]+"${RIG_LOAD_FLAGS[@]}"})
BOUND=20 # seconds; a hang is what this is about, not speed
rig_init
rig_start
rig_volume v 64MiB 1
URL=$(rig_url 1)
for round in 1 2 3; do
    "$CRASH" write "${LUNS[@]}" --generation $((round * 100000)) --lost-ok "$URL" \
        2>"$RIG_DIR/writer.err" | "$CRASH" keep --journal "$RIG_DIR/journal" &
    sleep 1
    rig_stop TERM "$BOUND"
    wait $! || { cat "$RIG_DIR/writer.err"; fail "the writer"; }
    [ "$RIG_TARGET" = tgt ] || [ "$RIG_RC" = 0 ] || fail "the daemon ends with $RIG_RC (999: not in $BOUND s)"
    rig_start
    "$CRASH" check "${LUNS[@]}" --journal "$RIG_DIR/journal" --state "$RIG_DIR/tags" "$URL" ||
        fail "round $round, seed $SEED"
done
