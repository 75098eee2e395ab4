#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: limits of a volume and of a host are set, shown, refused with the member at fault, changed under load
# and kept over a kill; what they hold back is counted and loses nothing; a clone has none of its own accord.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/lun.sh"
requires curl jq iscsi-ls
requires_ashlar

rig_init
rig_start

# is PATH FILTER VALUE
is() {
    local value
    value=$(of "$1" "$2")
    [ "$value" = "$3" ] || fail "$1: $2 is $value, not $3"
}

all='.qos | [.iops, .bytes_per_s, .burst_iops, .burst_bytes_per_s, .burst_s] | join(" ")'

ctl volume create v --pool p --size 64MiB --iops 2000 --bytes-per-s 100MiB
map v 1
is /v1/volumes/v "$all" '2000 104857600 0 0 0'
is /v1/hosts/h1 "$all" '0 0 0 0 0'
ctl host change h1 --iops 900 --burst-iops 1000
is /v1/hosts/h1 "$all" '900 0 1000 0 10'
ctl volume change v --burst-bytes-per-s 200MiB --burst-s 2
is /v1/volumes/v "$all" '2000 104857600 0 209715200 2'

# Each change alone; what is refused changes nothing.
refused '--burst-iops 2000: .*above its limit' volume change v --burst-iops 2000
refused '--bytes-per-s 1KiB: .*65536' volume change v --bytes-per-s 1KiB
refused '--burst-s 5: .*no burst' volume create w --pool p --size 1MiB --burst-s 5
refused '--iops -1' volume change v --iops -1
etag=$(curl -sS -o /dev/null -D - --unix-socket "$RIG_DIR/api.sock" http://localhost/v1/volumes/v |
    sed -n 's/^[Ee][Tt]ag: *//p' | tr -d '\r')
rig_ctl volume change v --iops 500 --dry-run >/dev/null || fail "a dry run"
is /v1/volumes/v "$all" '2000 104857600 0 209715200 2'
ctl volume change v --iops 700
code=$(curl -sS -o /dev/null -w '%{http_code}' --unix-socket "$RIG_DIR/api.sock" -X PATCH -H "If-Match: $etag" \
    -H 'Content-Type: application/json' -d '{"qos":{"iops":1}}' http://localhost/v1/volumes/v)
[ "$code" = 412 ] || fail "an If-Match of before the change is answered $code"

# Said as text or in part it is the same; PUT and apply find nothing to do.
rig_api PUT /v1/volumes/v '{"pool":"p","size":"64MiB","qos":{"bytes_per_s":"100MiB"}}' >/dev/null || fail "PUT"
rig_api POST /v1/apply '{"volumes":[{"name":"v","qos":{"iops":700,"bytes_per_s":"100MiB"}}],
    "hosts":[{"name":"h1","qos":{"iops":900}}]}' >"$RIG_DIR/applied" || fail "apply: $(cat "$RIG_DIR/applied")"
[ "$(jq .unchanged "$RIG_DIR/applied")" = 2 ] || fail "apply changes what agrees: $(cat "$RIG_DIR/applied")"

ctl snapshot create v/s
ctl volume clone v/s c
is /v1/volumes/c "$all" '0 0 0 0 0'

# Data is right while commands wait, limits come and go, and a kill keeps the last ones.
"$(rig_bin ashlar-load)" --connections 4 --depth 8 --seconds 8 --region 1048576 --initiator "$RIG_IQN" \
    "$(rig_url 1)" >"$RIG_DIR/load" 2>&1 &
load=$!
ctl volume change v --iops 300 # figures of another limit begin at zero: they are looked at while it holds
until [ "$(of /v1/volumes/v '.throttled | [.commands, .ms] | min')" -gt 0 ]; do
    kill -0 "$load" 2>/dev/null || fail "nothing was held back by the volume's limit: $(of /v1/volumes/v .throttled)"
    sleep 0.1
done
for iops in 5000 0 200 400; do
    sleep 0.5
    ctl volume change v --iops "$iops"
done
wait "$load" || { cat "$RIG_DIR/load"; fail "the load"; }
rig_kill
rig_start
is /v1/volumes/v "$all" '400 104857600 0 209715200 2'
is /v1/hosts/h1 "$all" '900 0 1000 0 10'

ctl volume change v --iops 0 --bytes-per-s 0
is /v1/volumes/v "$all" '0 0 0 0 0'
is /v1/volumes/v '.throttled | [.commands, .ms] | join(" ")' '0 0'
ctl host change h1 --iops 0
is /v1/hosts/h1 "$all" '0 0 0 0 0'
restart
is /v1/volumes/v "$all" '0 0 0 0 0'
is /v1/hosts/h1 "$all" '0 0 0 0 0'
