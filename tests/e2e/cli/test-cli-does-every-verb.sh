#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: every verb of ashlarctl does what its help says: tables for people, with --json the API's
# own JSON byte for byte, and what was created is there and what was deleted is gone.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires curl jq iscsi-perf
requires_ashlar
rig_init
. "$(dirname "$0")/lib.sh"
rig_start # pool p, hosts h1 and h2

# same PATH ARGS...: with --json it prints what GET PATH answers.
same() {
    cli 0 "${@:2}" --json
    quiet
    rig_api GET "$1" >"$RIG_DIR/want"
    echo >>"$RIG_DIR/want"
    cmp -s "$RIG_DIR/want" "$RIG_DIR/out" || { cli_show; cat "$RIG_DIR/want"; fail "${*:2}: not the API's JSON"; }
}

# value JQ: of the JSON in out.
value() {
    jq -r "$1" "$RIG_DIR/out"
}

cli 0 status
out '^target +iqn\.' '^portals +127\.0\.0\.1:' '^version +[0-9]' '^engine +(uring|threads)$'
same /v1 status

# --- volumes ---
cli 0 volume create web01 --pool p --size 100GiB
quiet
out '^name +web01$' '^size +100GiB \(107374182400 bytes\)$' '^block_size +512$' '^naa +6[0-9a-f]{31}$'
cli 0 volume create web02 --pool p --size 1048576 --block-size 4096 --json
[ "$(value .size) $(value .block_size)" = '1048576 4096' ] || fail "not the volume that was asked for"
id=$(value .id)
cli 0 volume create web03 --pool p --size 1048576 --physical-block-size 512 --json
[ "$(value .block_size) $(value .physical_block_size)" = '512 512' ] || fail "not 512 native"
cli 0 volume delete web03 --purge
cli 0 volume list
quiet
out '^NAME +POOL +SIZE' '^web01 +p +100GiB +0B +512 +0 +0 +no +6' '^web02 +p +1MiB +0B +4096'
[ "$(wc -l <"$RIG_DIR/out")" = 3 ] || fail "the list has not three lines"
[ "$(grep -c ' $' "$RIG_DIR/out")" = 0 ] || fail "spaces at a line's end"
same '/v1/volumes?limit=1000' volume list
cli 0 volume list --sort -name --fields size,name,labels --limit 1
[ "$(tr -s ' ' <"$RIG_DIR/out")" = "$(printf '%s\n' 'SIZE NAME labels' '1MiB web02 -')" ] || { cli_show; fail "not that list"; }
cli 0 volume list --filter 'size>=1GiB,name~web*'
out '^web01 '
[ "$(wc -l <"$RIG_DIR/out")" = 2 ] || fail "the filter lets more through"
cli 1 volume list --filter nothing=1
err 'no member nothing.*accepted: id, name'
cli 2 volume list --limit 0
err 'accepted: 1 and more'
cli 0 volume show web01 "$id"
[ "$(grep -c '^name ' "$RIG_DIR/out")" = 2 ] || fail "not both volumes are shown"
same /v1/volumes/web01 volume show web01

# --- hosts ---
cli 0 host create hv1 --initiator iqn.2026-01.test:a --initiator=iqn.2026-01.test:b
quiet
out '^initiators +iqn.2026-01.test:a$' '^ +iqn.2026-01.test:b$'
cli 0 host create open --initiator any
err '^ashlarctl: warning: host open: .*every initiator'
cli 0 host show open
err 'warning: host open'
cli 0 host list
out '^hv1 +linux +0 +iqn.2026-01.test:a, iqn.2026-01.test:b$' '^open +linux +0 +any$'
same '/v1/hosts?limit=1000' host list
cli 0 host delete open
out '^host open is deleted$'

echo initiator-secret >"$RIG_DIR/secret"
echo target-secret-1 >"$RIG_DIR/mutual"
cli 0 host create hv2 --initiator iqn.2026-01.test:c --auth chap --user hv2 --secret-file "$RIG_DIR/secret"
quiet
out '^auth\.method +chap$' '^auth\.user +hv2$' '^auth\.has_secret +yes$' '^auth\.has_mutual_secret +no$'
cli 0 host change hv2 --name hv3 --mutual-user box --mutual-secret-file - --forbid-md5 <"$RIG_DIR/mutual"
quiet
out '^name +hv3$' '^auth\.mutual_user +box$' '^auth\.has_mutual_secret +yes$' '^auth\.forbid_md5 +yes$'
same /v1/hosts/hv3 host show hv3
! grep -q -e initiator-secret -e target-secret "$RIG_DIR/out" || fail "a secret is shown"
cli 1 host change hv3 --mutual-secret-file "$RIG_DIR/secret"
err '^ashlarctl: --mutual-secret-file .*/secret: another than secret is wanted'
cli 2 host change hv3 --secret-file "$RIG_DIR/none"
err '^ashlarctl: --secret-file .*/none: No such file'
cli 0 host change hv3 --auth none
out '^auth\.method +none$' '^auth\.has_secret +no$'
cli 0 auth change --auth chap --user d --secret-file "$RIG_DIR/secret"
out '^discovery\.user +d$' '^forbid_md5 +no$'
same /v1/auth auth show
cli 0 auth change --auth none
out '^discovery\.method +none$'
cli 0 initiator list
out '^INITIATOR +ADDRESS +HOST'
same '/v1/initiators/seen?limit=1000' initiator list
cli 0 host delete hv3

# --- mappings ---
cli 0 mapping create web01 hv1 --lun 7
out '^lun +7$' '^uris +iscsi://127\.0\.0\.1:[0-9]+/iqn.*/7$' '^qemu +-iscsi initiator-name=iqn.2026-01.test:a'
cli 0 mapping create web02/hv1 --read-only
out '^lun +0$' '^read_only +yes$'
cli 0 mapping create web01/h1
cli 0 mapping list
out '^web02 +- +hv1 +0 +yes +iscsi://' '^web01 +- +hv1 +7 +no +iscsi://.*/7$' '^web01 +- +h1 +0 '
same '/v1/mappings?limit=1000' mapping list
same /v1/mappings/web01/hv1 mapping show web01/hv1
id=$(value .id)
same "/v1/mappings/$id" mapping show "$id"

# --- sessions ---
session() {
    cli 0 session list --json
    value '.items[0].id // empty'
}
stop_perf() {
    [ -z "$perf" ] || kill -KILL "$perf" || true # it ignores SIGTERM while it reconnects
    perf=
}
iscsi-perf -i "$RIG_IQN" -t 40 -m 2 -b 8 "$(rig_url 0)" >"$RIG_DIR/perf" 2>&1 &
perf=$!
cleanup_fn stop_perf
for _ in $(seq 100); do
    id=$(session)
    [ -z "$id" ] || break
    sleep 0.1
done
[ -n "$id" ] || fail "the session is not listed"
cli 0 session list
out '^ *ID +HOST +TYPE' "^ *$id +h1 +normal +$RIG_IQN +127\.0\.0\.1:[0-9]+ +[0-9]+ "
cli 0 session show "$id"
out "^initiator +$RIG_IQN\$" '^negotiated\.max_burst +[0-9]+$' '^read +.*B'
cli 0 session kick "$id"
for _ in $(seq 100); do
    next=$(session)
    [ "$next" = "$id" ] || break
    sleep 0.1
done
[ "$next" != "$id" ] || fail "the kicked session is there still"
cli 1 session delete "$id"
one_line "no session $id"
stop_perf

# --- drains ---
cli 0 drain create --portal "127.0.0.1:$RIG_PORT" --host hv1 --redirect 192.0.2.1:3260 --logout-timeout 60 --json
quiet
id=$(value .id)
cli 0 drain show "$id"
out "^portal +127\.0\.0\.1:$RIG_PORT\$" '^host +hv1$' '^redirect +192\.0\.2\.1:3260$' '^logout_timeout +60$' \
    '^sessions +0$' '^dropped +0$'
cli 0 drain list
out '^ *ID +PORTAL +HOST +REDIRECT +SESSIONS' "^ *$id +127\.0\.0\.1:$RIG_PORT +hv1 +192\.0\.2\.1:3260 +0 +0 +0 +0 "
same '/v1/drains?limit=1000' drain list
same "/v1/drains/$id" drain show "$id"
cli 1 drain create --portal 192.0.2.1:3260
one_line '--portal 192.0.2.1:3260: the target does not listen at 192.0.2.1:3260'
cli 1 drain create --redirect "127.0.0.1:$RIG_PORT"
one_line "--redirect 127.0.0.1:$RIG_PORT: 127.0.0.1:$RIG_PORT is drained as well"
cli 0 drain delete "$id"
out "^drain $id is deleted\$"
cli 1 drain delete "$id"
one_line "no drain $id"

# --- portal groups ---
cli 0 portal-group list
out '^ *TAG +STATE +PREFERRED +SESSIONS +PORTALS$' "^ *1 +active/optimized +[a-z]+ +[01] +127\.0\.0\.1:$RIG_PORT\$"
same '/v1/portal-groups?limit=1000' portal-group list
cli 0 portal-group set 1 --state standby --preferred --force
out '^state +standby$' '^preferred +(yes|true)$'
cli 0 portal-group set 1 --state active/optimized --preferred=false
out '^state +active/optimized$' '^preferred +(no|false)$'
same '/v1/portal-groups/1' portal-group show 1

# --- tokens ---
cli 0 token create ci
token=$(sed -n 's/^token *//p' "$RIG_DIR/out")
[[ $token =~ ^ashlar_.{43}$ ]] || fail "no token is shown"
err 'shown this once'
cli 0 token list
out '^ci +admin +- +20'
grep -q ashlar_ "$RIG_DIR/out" && fail "the list shows the token"
same '/v1/tokens?limit=1000' token list
grep -q ashlar_ "$RIG_DIR/out" && fail "the list shows the token"
cli 0 token create bare --json
quiet
[ "$(value .token)" != null ] || fail "--json has no token"
cli 0 token show ci
out '^name +ci$' '^scope +admin$' '^expires +-$'
cli 0 token create reader --scope read --expires 30d
out '^scope +read$' '^expires +20'
cli 0 token create one --scope attach --host hv1
out '^scope +attach$' '^host +hv1$'
cli 1 token create two --scope attach
one_line '--host'
cli 0 token delete ci bare reader one
out '^token ci is deleted$' '^token bare is deleted$' '^token one is deleted$'

# --- what would be done ---
cli 0 host create later --initiator iqn.2026-01.test.ashlar:later --dry-run
out '^dry_run +yes$' '^operation +host_create$' '^subject +later$'
cli 1 host show later
one_line 'no host later'
cli 1 host delete hv1 --dry-run
one_line 'hv1'

# --- a desired state ---
cat >"$RIG_DIR/state.json" <<'JSON'
{"hosts": [{"name": "later", "initiators": ["iqn.2026-01.test.ashlar:later"]}],
 "volumes": [{"name": "later", "pool": "p", "size": "1GiB"}],
 "mappings": [{"volume": "later", "host": "later", "lun": 7}]}
JSON
cli 0 apply "$RIG_DIR/state.json" --dry-run
out '^create +host +later$' '^create +volume +later$' '^create +mapping +later/later$' '^3 would change, 0 are so already$'
cli 0 apply "$RIG_DIR/state.json"
out '^3 changed, 0 are so already$'
cli 0 apply "$RIG_DIR/state.json"
out '^0 changed, 3 are so already$'
cli 0 mapping delete later/later
cli 0 volume delete later
cli 0 host delete later
echo '{"volumes": [{"name": "later"' >"$RIG_DIR/state.json"
cli 2 apply "$RIG_DIR/state.json"
one_line 'apply: '

# --- the audit log ---
cli 0 audit list
out '^ *1 +20.* +local uid [0-9]+ +- +pool_create +p$' ' volume_create +later$' ' token_create +ci$'
grep -q 'ashlar_' "$RIG_DIR/out" && fail "the audit log shows a token"
cli 0 audit verify
out '^[0-9]+ entries, each follows from the one before; note the last: [0-9]+:[0-9a-f]{64}$'
note=$(sed 's/.*last: //' "$RIG_DIR/out")
cli 0 audit verify --expect "$note"
cli 1 audit verify --expect "${note%%:*}:$(printf '0%.0s' $(seq 64))"
one_line 'the audit log was changed: entry '
cli 2 audit verify --expect nonsense
one_line 'SEQ:HASH'

# --- pools, and the way down ---
cli 0 pool list
out '^p +online +.*iB +[0-9.]+.*B +.*iB +100.0GiB +2$'
same '/v1/pools?limit=1000' pool list
cli 0 pool show p
out '^devices\[0\]\.path +/' '^devices\[0\]\.size +1GiB \(1073741824 bytes\)$' '^state +online$'
cli 0 pool change p --overcommit-cap-percent 10000 --usage-threshold 60 --usage-threshold 80
out '^overcommit_cap_percent +10000$' '^overcommit_percent +[0-9]+$' '^usage_thresholds +60$' '^ +80$' '^waiting_writes +0$'
out '^page_cache +no$'
cli 0 pool change p --page-cache
out '^page_cache +yes$' '^overcommit_cap_percent +10000$' '^devices\[0\]\.direct +no$'
cli 0 pool change p --page-cache=false
out '^page_cache +no$'
cli 0 pool check p
out '^clean +yes$' '^leaked_extents +0$'
cli 0 pool check p --json
quiet
[ "$(value .clean)" = true ] || fail "--json is not the report"

# --- copies ---
cli 0 pool change p --overcommit-cap-percent 0
cli 0 volume create from --pool p --size 1MiB
cli 0 volume copy from --name to
out '^kind +volume-copy$' '^subject +from$' '^state +done$' '^progress\.unit +bytes$' '^outcome\.copied_bytes +1048576$'
cli 0 volume copy from --to to --offset 64KiB --length 128KiB --to-offset 512KiB --no-wait
out '^kind +volume-copy$' '^subject +from$'
id=$(sed -n 's/^id *//p' "$RIG_DIR/out")
for _ in $(seq 300); do
    cli 0 job show "$id" --json
    [ "$(value .state)" = running ] || break
    sleep 0.1
done
[ "$(value .state)" = 'done' ] || fail "the copy of a range is $(value .state)"
cli 0 volume delete from to --purge

# --- jobs ---
cli 0 pool check p --no-wait
id=$(sed -n 's/^id *//p' "$RIG_DIR/out")
out '^kind +pool-check$' '^subject +p$' '^progress\.unit +extents$'
for _ in $(seq 300); do
    cli 0 job show "$id" --json
    [ "$(value .state)" = running ] || break
    sleep 0.1
done
cli 0 job show "$id"
out '^state +done$' '^outcome\.clean +yes$' '^error +-$'
cli 0 job list
out "^$id +pool-check +p +done +20.*Z +20.*Z +-\$"
same '/v1/jobs?limit=1000' job list
cli 1 job cancel "$id"
one_line "job $id has ended"
cli 1 job cancel nope
one_line 'no job nope'
cli 0 pool create other --device "$RIG_DIR/with,comma.img,size=64MiB" --overcommit-cap-percent 150 --usage-threshold none --page-cache
out '^overcommit_cap_percent +150$' '^page_cache +yes$' '^devices\[0\]\.direct +no$' '^devices\[0\]\.path +.*/with,comma\.img$'
cli 0 mapping delete web01/hv1 web02/hv1 web01/h1
out '^mapping web01/hv1 is deleted$' '^mapping web01/h1 is deleted$'
cli 0 volume delete web01 --json web02
quiet
[ ! -s "$RIG_DIR/out" ] || fail "--json prints what the API did not say"
cli 0 host delete hv1
cli 0 pool export other --path "$RIG_DIR/other.pool"
cli 1 pool show other
cli 0 pool import --path "$RIG_DIR/other.pool" --device "$RIG_DIR/with,comma.img" --name another
out '^name +another$' '^state +online$' '^page_cache +yes$'
cli 0 pool delete another
[ -e "$RIG_DIR/with,comma.img" ] || fail "the file of a deleted pool is gone"
for resource in volume mapping; do
    cli 0 $resource list
    [ "$(wc -l <"$RIG_DIR/out")" = 1 ] || fail "$resource list: something is left"
done
