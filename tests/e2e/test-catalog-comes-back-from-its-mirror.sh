#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a catalog that is lost with its disk, under writes and a SIGKILL, comes back from its mirror with all
# that was flushed; no empty one is made in its place meanwhile. Without a mirror what is left of the pool is left alone. A mirror
# that was left behind is not taken by its devices.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/lun.sh"
requires iscsi-ls curl jq qemu-io
requires_ashlar

rig_init
MIRROR=$RIG_DIR/mirror
mkdir -m 700 "$MIRROR"
RIG_FLAGS+=(--catalog-mirror "$MIRROR")
CRASH=$(rig_bin ashlar-crash)
LUNS=(--lun 1 --seed 7)

# start_refused TEXT: the daemon ends at once, and its last line says TEXT.
start_refused() {
    local rc=0
    rig_ashlar_command
    timeout 20 "${RIG_COMMAND[@]}" >"$RIG_DIR/refused" 2>&1 || rc=$?
    if [ "$rc" = 0 ] || [ "$rc" -ge 124 ]; then
        cat "$RIG_DIR/refused"
        fail "it ends with $rc"
    fi
    tail -n 1 "$RIG_DIR/refused" | grep -qE -- "$1" || { cat "$RIG_DIR/refused"; fail "no '$1' in its last line"; }
}

restore() {
    rig_ashlar_command
    "${RIG_COMMAND[@]}" --restore-catalog "$1" >"$RIG_DIR/out" 2>&1 || { cat "$RIG_DIR/out"; fail "restore from $1"; }
}

mirror_is() {
    local state
    for _ in $(seq 100); do
        state=$(of /v1 .catalog_mirror)
        [ "$state" != "$1" ] || return 0
        sleep 0.1
    done
    fail "the mirror is $state, not $1"
}

rig_start
mirror_is current
rig_volume v 64MiB 1
URL=$(rig_url 1)

# Lost under writes: everything that was answered is in the mirror.
for round in 1 2 3; do
    "$CRASH" write "${LUNS[@]}" --generation $((round * 100000)) --lost-ok "$URL" 2>"$RIG_DIR/writer.err" |
        "$CRASH" keep --journal "$RIG_DIR/journal" &
    writer=$!
    sleep 1
    rig_ctl volume create "w$round" --pool p --size 1GiB >/dev/null || fail "volume create w$round"
    rig_kill
    wait $writer || { cat "$RIG_DIR/writer.err"; fail "the writer"; }
    rm -f "$RIG_DIR"/state/catalog.db*
    start_refused "catalog.db is not there, but its mirror .* is: .*--restore-catalog"
    [ ! -e "$RIG_DIR/state/catalog.db" ] || fail "a new catalog was made beside the mirror"
    restore "$MIRROR"
    rig_start
    mirror_is current
    rig_ctl volume show "w$round" >/dev/null || fail "volume w$round, which was answered, is gone"
    "$CRASH" check "${LUNS[@]}" --journal "$RIG_DIR/journal" --state "$RIG_DIR/tags" "$URL" || fail "round $round"
done

# One that is there is never written over.
rig_stop
rc=0
rig_ashlar_command
"${RIG_COMMAND[@]}" --restore-catalog "$MIRROR" >"$RIG_DIR/out" 2>&1 || rc=$?
[ $rc = 1 ] || fail "restoring over a catalog ends with $rc"
grep -q 'is there: a catalog is restored only where there is none' "$RIG_DIR/out" || fail "it does not say why"
rig_start

# A mirror that cannot be written is left behind; its copy from then is older than the device.
cp -r "$MIRROR" "$RIG_DIR/behind"
mv "$MIRROR" "$RIG_DIR/away"
rig_kill
rig_start
mirror_is failed
[ "$(of '/v1/events?limit=100' '[.items[] | select(.type == "catalog.mirror_failed")] | length')" -ge 1 ] ||
    fail "no event tells that the mirror has failed"
rig_ctl volume create after --pool p --size 1GiB >/dev/null || fail "no changes without the mirror"
rig_stop
mv "$RIG_DIR/state/catalog.db" "$RIG_DIR/kept.db"
rm -f "$RIG_DIR"/state/catalog.db-*
RIG_FLAGS=()
restore "$RIG_DIR/behind"
rig_start
[ "$(of /v1/pools/p .state)" = failed ] || fail "a mirror that lacks commits is served"
grep -q 'the catalog (generation [0-9]*) is older than device' "$RIG_DIR/daemon.log" || fail "the log does not say why"
! io_try 1 "read 0 4k" || fail "its volumes are read"
rig_stop

# Without a mirror: a new catalog takes no device that is another pool's.
rm -f "$RIG_DIR"/state/catalog.db*
cksum <"$RIG_DIR/pool.img" >"$RIG_DIR/before"
rig_start
refused "pool.img belongs to pool" pool create p --device "$RIG_DIR/pool.img"
rig_stop
cksum <"$RIG_DIR/pool.img" | cmp - "$RIG_DIR/before" || fail "the device of a lost catalog was written"

# And with its own catalog all is there.
rm -f "$RIG_DIR"/state/catalog.db*
mv "$RIG_DIR/kept.db" "$RIG_DIR/state/catalog.db"
rig_start
"$CRASH" check "${LUNS[@]}" --journal "$RIG_DIR/journal" --state "$RIG_DIR/tags" "$URL" || fail "with its own catalog"
