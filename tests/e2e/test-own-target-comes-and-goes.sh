#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a volume that is mapped as a target of its own is found, logged in to and used by real
# initiators as what the mapping says attaches it, over IPv4 and IPv6, by its host alone and beside the
# shared target; its identity is the volume's; a restart keeps it; deleting the mapping ends it.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/lun.sh"
requires iscsi-ls iscsi-inq qemu-img qemu-io curl jq
requires_ashlar

RIG_FLAGS=(--portal "[::1]:0")
rig_init
rig_start
rig_volume shared 64MiB 0
ctl volume create own --pool p --size 64MiB
ctl mapping create own h1 --export own
grep -qE '^export +own$' "$RIG_DIR/out" || fail "the mapping is not shown as own"
serial=$(of /v1/volumes/own .serial)
target=$(of /v1/mappings/own/h1 .target)
[ "$target" = "$RIG_NAME:$serial" ] || fail "the target is named $target"
[ "$(of /v1/mappings/own/h1 .lun)" = 0 ] || fail "an own target has not LUN 0"
refused 'is mapped to this host already' mapping create own h1
refused '--export other: there is no such export; accepted: shared or own' mapping create shared h1 --export other
ctl mapping create own h2 --lun 9 # the same volume at the shared target of another

# targets INITIATOR PORTAL: what discovery tells, and the LUNs.
targets() {
    timeout 20 iscsi-ls -s -i "$1" "iscsi://$2" 2>/dev/null | sed -n 's/^Target:\([^ ]*\) .*/\1/p; s/^Lun:\([0-9]*\) .*/\1/p'
}
port6=$(of /v1 '.portals[1]')
for portal in "127.0.0.1:$RIG_PORT" "$port6"; do
    [ "$(targets "$RIG_IQN" "$portal" | sort -u | xargs)" = "0 $RIG_NAME $target" ] ||
        fail "at $portal the host is told $(targets "$RIG_IQN" "$portal" | xargs)"
    [ "$(targets "$RIG_IQN2" "$portal" | sort -u | xargs)" = "0 9 $RIG_NAME" ] ||
        fail "at $portal the other host is told $(targets "$RIG_IQN2" "$portal" | xargs)"
done

# The unit has one identity, the ports have two.
page() {
    timeout 20 iscsi-inq -i "$1" -e 1 -c "$2" "$3"
}
own_url=$(of /v1/mappings/own/h1 '.uris[0]')
own_url6=$(of /v1/mappings/own/h1 '.uris[1]')
other_url=$(of /v1/mappings/own/h2 '.uris[0]')
[ "$own_url" = "iscsi://127.0.0.1:$RIG_PORT/$target/0" ] || fail "the URI is $own_url"
[ "$(page "$RIG_IQN" 128 "$own_url")" = "$(page "$RIG_IQN2" 128 "$other_url")" ] || fail "one volume, two serial numbers"
page "$RIG_IQN" 131 "$own_url" >"$RIG_DIR/own"
page "$RIG_IQN" 131 "$own_url6" | cmp - "$RIG_DIR/own" || fail "page 83h differs over IPv6"
grep -qF "$target,t,0x0001" "$RIG_DIR/own" || { cat "$RIG_DIR/own"; fail "the target port has another name"; }
! timeout 20 iscsi-inq -i "$RIG_IQN2" "$own_url" >"$RIG_DIR/out" 2>&1 || fail "the other host logs in to it"
grep -q 'Target not found' "$RIG_DIR/out" || { cat "$RIG_DIR/out"; fail "not 'Target not found'"; }
ctl host change h1 --address 192.0.2.0/24 # not from here
! timeout 20 iscsi-inq -i "$RIG_IQN" "$own_url" >"$RIG_DIR/out" 2>&1 || fail "its host logs in from elsewhere"
grep -q 'Target not found' "$RIG_DIR/out" || { cat "$RIG_DIR/out"; fail "not 'Target not found' from elsewhere"; }
[ -z "$(targets "$RIG_IQN" "127.0.0.1:$RIG_PORT")" ] || fail "discovery from elsewhere tells something"
ctl host change h1 --address 127.0.0.0/8 --address ::1

# As the mapping says QEMU attaches it.
dd if=/dev/urandom of="$RIG_DIR/image" bs=1M count=64 status=none
own_opts() {
    echo "driver=raw,file.driver=iscsi,file.transport=tcp,file.portal=$1,file.target=$target,file.lun=0,file.initiator-name=$RIG_IQN"
}
image() {
    timeout 60 qemu-img "$@" >"$RIG_DIR/io" 2>&1 || { cat "$RIG_DIR/io"; fail "qemu-img $1"; }
}
image convert -n -f raw "$RIG_DIR/image" --target-image-opts "$(own_opts "127.0.0.1:$RIG_PORT")"
restart
[ "$(targets "$RIG_IQN" "127.0.0.1:$RIG_PORT" | sort -u | xargs)" = "0 $RIG_NAME $target" ] || fail "a restart forgets it"
image convert -O raw --image-opts "$(own_opts "$(of /v1 '.portals[1]')")" "$RIG_DIR/back"
cmp "$RIG_DIR/image" "$RIG_DIR/back" || fail "the image that comes back over IPv6 differs"
of /v1/mappings/own/h1 '.qemu[0]' | grep -qF "file=iscsi://127.0.0.1:$RIG_PORT/$target/0," || fail "QEMU's line is another"

end() {
    kill "$1" 2>/dev/null
}

# A session that is there when its mapping goes; the shared target's stays.
timeout 90 qemu-io --image-opts "$(own_opts "127.0.0.1:$RIG_PORT")" -c 'read 0 4k' -c 'sleep 60000' >"$RIG_DIR/held" 2>&1 &
held=$!
cleanup_fn end "$held"
timeout 90 qemu-io --image-opts "$(lun 0)" -c 'read 0 4k' -c 'sleep 60000' >/dev/null 2>&1 &
beside=$!
cleanup_fn end "$beside"
sessions() {
    of /v1/sessions '.items | map(.target) | sort | join(" ")'
}
until_sessions() {
    for _ in $(seq 200); do
        [ "$(sessions)" != "$1" ] || return 0
        sleep 0.1
    done
    fail "the sessions are with '$(sessions)', not '$1'"
}
until_sessions "$RIG_NAME $target"
ctl mapping delete own/h1
[ "$(targets "$RIG_IQN" "127.0.0.1:$RIG_PORT" | sort -u | xargs)" = "0 $RIG_NAME" ] || fail "a deleted target is still told"
until_sessions "$RIG_NAME"
! timeout 20 iscsi-inq -i "$RIG_IQN" "$own_url" >/dev/null 2>&1 || fail "a deleted target is logged in to"

# Who has own targets alone is not sent to the shared one.
kill "$beside"
ctl mapping delete shared/h1
[ "$(targets "$RIG_IQN" "127.0.0.1:$RIG_PORT" | xargs)" = "$RIG_NAME $RIG_NAME" ] || fail "the shared target is not told"
ctl mapping create own h1 --export own --read-only
[ "$(targets "$RIG_IQN" "127.0.0.1:$RIG_PORT" | sort -u | xargs)" = "0 $target" ] || fail "an empty target is told"
! timeout 60 qemu-io --image-opts "$(own_opts "127.0.0.1:$RIG_PORT")" -c 'write 0 4k' >"$RIG_DIR/io" 2>&1 ||
    grep -qiE 'read-only|error|permission' "$RIG_DIR/io" || fail "a read-only target is written"
rig_alive || fail "the daemon died"
