#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a backup is taken while the daemon runs, whole and for its owner alone, and makes every device newer than
# itself. Put in the catalog's place it is refused until an admin accepts it by name; then volumes are as of the backup, and
# the newer catalog is what is refused.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/lun.sh"
requires iscsi-ls curl jq qemu-io
requires_ashlar

rig_init
rig_start
rig_volume v 32MiB 1
io 1 "write -P 1 0 8M" flush
ctl catalog backup --path "$RIG_DIR/backup.db"
[ "$(stat -c %a "$RIG_DIR/backup.db")" = 600 ] || fail "others can read the backup"
[ ! -e "$RIG_DIR/backup.db-wal" ] || fail "the backup has a log beside it"
refused 'there already|exists' catalog backup --path "$RIG_DIR/backup.db"
refused 'absolute|pattern|\^/' catalog backup --path backup.db
refused 'No such file' catalog backup --path "$RIG_DIR/nowhere/backup.db"
[ "$(of '/v1/audit?limit=1000' '[.items[] | select(.operation == "catalog_backup")] | length')" = 1 ] ||
    fail "the audit log does not have the one backup"
[ "$(of '/v1/events?limit=1000' '[.items[] | select(.type == "catalog.backed_up")] | length')" = 1 ] ||
    fail "no event tells of the backup"
rig_ctl volume create late --pool p --size 1GiB >/dev/null
rig_stop
mv "$RIG_DIR/state/catalog.db" "$RIG_DIR/newer.db"
rm -f "$RIG_DIR"/state/catalog.db-*

tool() {
    rig_ashlar_command
    timeout 20 "${RIG_COMMAND[@]}" "$@" >"$RIG_DIR/out" 2>&1
}

tool --restore-catalog "$RIG_DIR/backup.db" || { cat "$RIG_DIR/out"; fail "the backup is not restored"; }
rig_start
[ "$(of /v1/pools/p .state)" = failed ] || fail "a backup is served as if nothing had been since"
! tool --accept-older-catalog || fail "accepted beside a daemon"
grep -q "has the catalog" "$RIG_DIR/out" || fail "it does not say who has the catalog"
rig_stop
tool --accept-older-catalog || { cat "$RIG_DIR/out"; fail "it is not accepted"; }
grep -q "accepted for 1 devices" "$RIG_DIR/out" || fail "it does not say what it did"
! tool --accept-older-catalog || fail "accepted twice"
rig_start
[ "$(of /v1/pools/p .state)" = online ] || fail "an accepted catalog is not served"
io 1 "read -P 1 0 8M" "write -P 3 16M 1M" flush "read -P 3 16M 1M"
[ "$(of /v1/volumes '[.items[].name] | join(" ")')" = v ] || fail "the volumes are not those of the backup"
[ "$(of '/v1/audit?limit=1000' '[.items[] | select(.operation == "catalog_accept")] | length')" = 1 ] ||
    fail "the audit log does not say that it was accepted"
rig_stop
rm -f "$RIG_DIR"/state/catalog.db*
cp "$RIG_DIR/newer.db" "$RIG_DIR/state/catalog.db"
rig_start
[ "$(of /v1/pools/p .state)" = failed ] || fail "the catalog from before is served beside the accepted one"
