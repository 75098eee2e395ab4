#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: what the daemon refuses, ashlarctl says in one line in the words of its own command line:
# what was wrong, of which flag or name, and what is accepted; it exits 1 and changes nothing.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires curl jq
requires_ashlar
rig_init
. "$(dirname "$0")/lib.sh"
rig_start
cli 0 volume create v --pool p --size 1MiB
cli 0 mapping create v h1 --lun 3
cli 0 token create t

# refused RE... -- ARGS...
refused() {
    local res=()
    while [ "$1" != -- ]; do
        res+=("$1")
        shift
    done
    shift
    cli 1 "$@"
    one_line "${res[@]}"
}

refused '--size 12parsecs: .*accepted: .*100GiB' -- volume create w --pool p --size 12parsecs
refused '--guaranteed 2MiB: .*more than its size' -- volume create w --pool p --size 1MiB --guaranteed 2MiB
refused '--guaranteed 2GiB: pool p lacks ' -- volume create w --pool p --size 2GiB --guaranteed 2GiB
refused '--size 5000: .*4096' -- volume create w --pool p --size 5000
refused '--size -1: ' -- volume create w --pool p --size -1
refused '--size 99999999999999999999999: ' -- volume create w --pool p --size 99999999999999999999999
refused '--size : ' -- volume create w --pool p --size=
refused '--size 1.5GiB: ' -- volume create w --pool p --size 1.5GiB
refused '--pool nowhere: there is no pool nowhere' -- volume create w --pool nowhere --size 1MiB
refused '--block-size 77: .*accepted: .*512' -- volume create w --pool p --size 1MiB --block-size 77
refused 'NAME v: .*exists' -- volume create v --pool p --size 1MiB
refused 'NAME a/b: .*accepted: 1 to 63' -- volume create a/b --pool p --size 1MiB
refused 'NAME \.\.: ' -- volume create .. --pool p --size 1MiB
refused 'NAME 0f1cb5a3-0000-4000-8000-000000000000: .*form of an id' -- \
    token create 0f1cb5a3-0000-4000-8000-000000000000

refused '--device rel\.img,size=1GiB: .*absolute path' -- pool create q --device rel.img,size=1GiB
refused '--device /no/such/dir/f: .*No such file' -- pool create q --device /no/such/dir/f
refused "--device $RIG_DIR/q.img,size=5: .*accepted: " -- pool create q --device "$RIG_DIR/q.img,size=5"
refused "--device $RIG_DIR/pool.img: " -- pool create q --device "$RIG_DIR/pool.img"
refused '--device rel\.img: .*absolute path' -- pool create q --device "$RIG_DIR/q.img,size=1MiB" --device rel.img

refused '--initiator bogus: .*accepted: .*iqn\.' -- host create h --initiator iqn.2026-01.x:ok --initiator bogus
refused '--initiator any: ' -- host create h --initiator any --initiator iqn.2026-01.x:ok
refused "--initiator $RIG_IQN: .*already" -- host create h --initiator "$RIG_IQN"

refused '--lun 99999: .*accepted: .*16383' -- mapping create v h2 --lun 99999
refused 'VOLUME w: there is no volume w' -- mapping create w h1
refused 'HOST h9: there is no host h9' -- mapping create v/h9
refused 'HOST h1/x: ' -- mapping create v h1/x
refused 'VOLUME v/h1: there is no snapshot v/h1' -- mapping create v/h1/x
refused 'VOLUME v: .*mapped' -- mapping create v h1
cli 0 volume create w2 --pool p --size 1MiB
refused '--lun 3: ' -- mapping create w2 h1 --lun 3
cli 0 volume delete w2

refused '--size 512KiB: .*allow_data_loss' -- volume change v --size 512KiB
refused '--name a/b: .*accepted: 1 to 63' -- volume change v --name a/b
refused '--label a b=1: .*accepted: .*1 to 63' -- volume change v --label x=1 --label 'a b=1'
refused 'VOLUME/SNAPSHOT v/nope: there is no snapshot' -- volume clone v/nope c
refused 'SNAPSHOT nope: volume v has no snapshot nope' -- volume rollback v nope
refused 'no volume nope' -- volume extents nope
refused '--from nope: there is no snapshot or volume nope; accepted: ' -- volume diff v --from nope
refused '--offset 1M: .*accepted: bytes' -- snapshot extents v/s --offset 1M
refused '--snapshot nope: volume v has no snapshot nope' -- volume copy v --name c --snapshot nope
refused '--to nope: there is no volume nope' -- volume copy v --to nope
refused '--name v: volume v exists' -- volume copy v --name v
refused '--pool nope: there is no pool nope' -- volume copy v --name c --pool nope
refused 'volume: there is no volume nope' -- snapshot create nope/s
refused 'volumes: there is no volume nope' -- snapshot create v nope --name s
refused 'no snapshot v/nope' -- snapshot delete v/nope
refused 'no volume nope' -- volume change nope --size 1GiB
refused 'no volume nope' -- snapshot list --volume nope
refused 'no volume v in the trash' -- trash restore v
refused 'no volume nope' -- trash purge nope
refused '--read-only: .*only be read' -- mapping create v/s h1 --read-only=false

refused 'no volume nope' -- volume show nope
refused 'no pool nope' -- pool check nope
refused 'no pool nope' -- pool change nope --overcommit-cap-percent 5
refused '--overcommit-cap-percent 1000001: .*accepted: .*1000000' -- pool change p --overcommit-cap-percent 1000001
refused '--usage-threshold .*accepted: .*percent' -- pool change p --usage-threshold 90 --usage-threshold 75
refused 'no pool nope' -- pool export nope --path /nowhere/p.pool
refused '--path p.pool: ' -- pool export p --path p.pool
refused 'volume v is mapped' -- pool export p --path /nowhere/p.pool
refused '--path /nowhere/p.pool: .*No such file' -- pool import --path /nowhere/p.pool
refused 'no mapping v/h2' -- mapping delete v/h2
refused 'no mapping v$' -- mapping show v
refused 'no session 12345' -- session kick 12345
refused 'no session abc' -- session show abc
refused '--state offline: .*accepted: .*standby' -- portal-group set 1 --state offline
refused '--state standby: .*last portal group.*force' -- portal-group set 1 --state standby
refused 'no portal group 7' -- portal-group set 7 --state standby
refused 'no portal group nope' -- portal-group show nope
refused 'no token nope' -- token delete nope
refused 'no volume \.\.' -- volume show ..
refused 'volume a/b c%\?#: cannot be a name' -- volume show 'a/b c%?#'
refused 'volume a\?b: cannot be a name' -- volume show $'a\nb'
refused 'mapping a/b/c/d: cannot be a name' -- mapping show a/b/c/d
refused 'pool x{70}: cannot be a name' -- pool delete "$(printf 'x%.0s' {1..70})"
refused 'pool p has ' -- pool delete p
refused 'volume v is mapped' -- volume delete v
refused 'host h1 has ' -- host delete h1

# One refusal does not hold up the others.
cli 1 volume show nope v
out '^name +v$'
err '^ashlarctl: there is no volume nope$'
cli 1 token delete nope t
out '^token t is deleted$'
err 'no token nope'

[ "$(rig_api GET /v1/volumes | jq -c '[.items[].name]')" = '["v"]' ] || fail "a refused request changed volumes"
[ "$(rig_api GET /v1/snapshots | jq '.items | length')" = 0 ] || fail "a refused request made a snapshot"
[ "$(rig_api GET /v1/pools | jq '.items | length')" = 1 ] || fail "a refused request made a pool"
[ "$(rig_api GET /v1/hosts | jq '.items | length')" = 2 ] || fail "a refused request made a host"
[ "$(rig_api GET /v1/mappings | jq '.items | length')" = 1 ] || fail "a refused request made a mapping"
[ ! -e "$RIG_DIR/q.img" ] || fail "a refused request made a file"

# What cannot be written is no success.
cli 0 volume list
rc=0
rig_ctl volume list >/dev/full 2>"$RIG_DIR/err" || rc=$?
[ $rc = 1 ] || fail "a full disk: ends with $rc"
err 'cannot write'
