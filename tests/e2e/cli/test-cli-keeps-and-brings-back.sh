#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: ashlarctl makes snapshots of one volume and of several, clones them, shows them to hosts,
# changes volumes, rolls them back, and brings them back from the trash: tables for people, with
# --json the API's own JSON.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires curl jq
requires_ashlar
rig_init
. "$(dirname "$0")/lib.sh"
RIG_FLAGS+=(--trash-retention 7d)
rig_start # pool p, hosts h1 and h2

# same PATH ARGS...: with --json it prints what GET PATH answers.
same() {
    cli 0 "${@:2}" --json
    quiet
    rig_api GET "$1" >"$RIG_DIR/want"
    echo >>"$RIG_DIR/want"
    cmp -s "$RIG_DIR/want" "$RIG_DIR/out" || { cli_show; cat "$RIG_DIR/want"; fail "${*:2}: not the API's JSON"; }
}

value() {
    jq -r "$1" "$RIG_DIR/out"
}

# --- changes ---
cli 0 volume create web --pool p --size 1GiB --label owner=a --label tier=gold --zero-detect
out '^labels\.owner +a$' '^labels\.tier +gold$' '^zero_detect +yes$' '^protected +no$' '^clone_of +-$'
cli 0 volume change web --size 2GiB --protected --label owner=b
out '^size +2GiB ' '^protected +yes$' '^labels\.owner +b$' '^zero_detect +yes$'
grep -q tier "$RIG_DIR/out" && fail "a label that was not named again is there still"
cli 1 volume delete web
one_line 'web is protected'
cli 0 volume change web --name web01 --protected=false --label none
out '^name +web01$' '^protected +no$'
cli 0 volume change web01 --size 1GiB --allow-data-loss
out '^size +1GiB '
cli 0 volume create db --pool p --size 512MiB

# --- snapshots ---
cli 0 snapshot create web01/monday --label why=upgrade
quiet
out '^name +monday$' '^volume +web01$' '^labels\.why +upgrade$' '^group +-$'
same /v1/snapshots/web01/monday snapshot show web01/monday
id=$(value .id)
same "/v1/snapshots/$id" snapshot show "$id"
cli 0 snapshot create web01 db --name tuesday
out '^VOLUME +NAME ' '^web01 +tuesday +1GiB ' '^db +tuesday +512MiB '
cli 0 snapshot create web01 db --name wednesday --json
[ "$(value '[.snapshots[].volume] | join(" ")')" = 'web01 db' ] || fail "not both volumes' snapshots"
[ "$(value '.id as $id | [.snapshots[].group] | unique == [$id]')" = true ] || fail "not one group"
cli 0 snapshot create db --name alone
out '^name +alone$'
cli 0 snapshot list
[ "$(wc -l <"$RIG_DIR/out")" = 7 ] || { cli_show; fail "not six snapshots"; }
same '/v1/snapshots?limit=1000' snapshot list
cli 0 snapshot list --volume db
[ "$(wc -l <"$RIG_DIR/out")" = 4 ] || { cli_show; fail "not db's three snapshots"; }
same '/v1/snapshots?limit=1000&volume=db' snapshot list --volume db
cli 0 snapshot change web01/wednesday --name kept --protected
out '^name +kept$' '^protected +yes$'
cli 1 snapshot delete web01/kept db/wednesday
err 'kept is protected'
out '^snapshot db/wednesday is deleted$'
cli 0 snapshot change web01/kept --protected=false
cli 0 snapshot delete web01/kept

# --- clones and mappings ---
cli 0 volume clone web01/monday copy --size 3GiB --label of=web01
out '^size +3GiB ' "^clone_of +$id\$" '^labels\.of +web01$' '^pool +p$'
cli 0 mapping create web01/monday h1
out '^snapshot +monday$' '^read_only +yes$' 'readonly=on'
cli 0 mapping create web01/monday/h2 --lun 9
cli 0 mapping list
out '^web01 +monday +h1 +0 +yes ' '^web01 +monday +h2 +9 +yes '
same /v1/mappings/web01/monday/h1 mapping show web01/monday/h1
cli 1 snapshot delete web01/monday
one_line 'is mapped to 2 hosts'
cli 0 mapping delete web01/monday/h1 web01/monday/h2
out '^mapping web01/monday/h1 is deleted$'

# --- what is there, and what differs ---
cli 0 volume extents copy
quiet
[ ! -s "$RIG_DIR/out" ] || { cli_show; fail "an empty volume has extents"; }
cli 0 volume extents copy --zeros --offset 4096 --length 65536
[ "$(cat "$RIG_DIR/out")" = '4096 65536 zero' ] || { cli_show; fail "not the range that was asked for"; }
cli 0 volume diff copy --from web01/monday # which is smaller
out '^[0-9]+ [0-9]+ zero$'
cli 0 snapshot extents web01/monday --json
[ "$(jq -c 'del(.size)' "$RIG_DIR/out")" = '{"end":true,"ranges":0,"bytes":0}' ] || { cli_show; fail "not the API's last line"; }
rig_api GET '/v1/volumes/copy/diff?from=web01%2Fmonday' >"$RIG_DIR/want"
cli 0 volume diff copy --from web01/monday --json
cmp -s "$RIG_DIR/want" "$RIG_DIR/out" || { cli_show; fail "not the API's lines"; }
cli 0 snapshot diff web01/monday --from tuesday
quiet

# --- rollback ---
cli 0 volume rollback web01 monday --keep-name before
out '^name +web01$' '^snapshot_count +3$'
cli 0 volume rollback web01/before
cli 0 snapshot list --volume web01
out '^web01 +before ' '^web01 +monday ' '^web01 +rollback-20[0-9TZ]+ ' '^web01 +tuesday '

# --- the trash ---
cli 0 volume delete db
out '^volume db is deleted$'
cli 0 trash list
out '^NAME .* PURGE ' '^db +p +512MiB +0B +2 +20'
same '/v1/trash?limit=1000' trash list
same /v1/trash/db trash show db
cli 0 trash restore db --name db2
out '^name +db2$' '^snapshot_count +2$'
cli 0 snapshot show db2/tuesday
cli 0 volume delete db2
cli 0 trash purge db2
out '^trash db2 is purged$'
cli 0 volume delete copy --purge
out '^volume copy is purged$'
cli 0 trash list
[ "$(wc -l <"$RIG_DIR/out")" = 1 ] || { cli_show; fail "something is in the trash still"; }
cli 0 volume delete web01
cli 1 pool delete p
err 'pool p has '
cli 0 trash purge web01
