#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a wrong command line is told in one line that names it and what is accepted, with status 2,
# before any daemon is asked; help is right at each level.
set -euo pipefail
. "$(dirname "$0")/../../lib/rig.sh"
requires_ashlar
rig_init
. "$(dirname "$0")/lib.sh"

# usage RE ARGS...: nothing listens at that socket; asking it would end with 3.
usage() {
    cli 2 "${@:2}"
    one_line "$1"
}

usage 'a resource is missing; accepted: pool, device, volume, snapshot, trash, host, initiator, auth, mapping, session, drain, portal-group, job, event, token, catalog, audit, apply, status'
usage 'no resource pools; accepted: pool, device, volume' pools list
usage 'volume: there is no verb lis; accepted: create, clone, list, show, change, copy, rollback, extents, diff, delete$' volume lis
usage 'pool: a verb is missing; accepted: .*check' pool
usage 'volume create: there is no flag --sizes; accepted: --pool, --size' volume create v --sizes 1
usage 'there is no flag -j; accepted' -j volume list
usage 'volume create: a name is missing; usage: ashlarctl volume create NAME --pool POOL --size SIZE' \
    volume create --pool p --size 1
usage 'host create: --initiator is missing' host create h
usage 'mapping create: too many names; usage: ashlarctl mapping create VOLUME\[/SNAPSHOT\] HOST' mapping create a b c
usage 'mapping create: a names no volume and host' mapping create a
usage 'snapshot create: a names no volume and snapshot; accepted: VOLUME/NAME' snapshot create a
usage 'snapshot create: --name is missing' snapshot create a b
usage 'volume rollback: a names no volume and snapshot; accepted: VOLUME SNAPSHOT' volume rollback a
usage 'volume clone: a name is missing; usage: ashlarctl volume clone VOLUME/SNAPSHOT NAME' volume clone a/b
usage '--label a is no label; accepted: KEY=VALUE, or none' volume change v --label a
usage '--page-cache is a yes or no; accepted: --page-cache, --page-cache=false' pool change p --page-cache=on
usage '--secret-file /dev/null holds no secret; accepted: one line, the secret' host change h --secret-file /dev/null
usage 'snapshot show: a/ is no name; accepted: VOLUME/NAME, or an id' snapshot show a/
usage 'mapping show: a/ is no name; accepted: VOLUME/HOST' mapping show a/
usage 'mapping show: /a is no name' mapping show /a
usage '--lun x is not a number; accepted: 0..16383' mapping create a b --lun x
usage '--device /a,sizes=1: there is no option sizes=1; accepted: PATH\[,size=SIZE\]' pool create p --device /a,sizes=1
usage 'NAME is not UTF-8' token create $'\xff'
usage '--socket is given twice' volume list --socket x
usage 'accepted: 1 to 86400' status --timeout never
usage '--socket and --url' status --url http://127.0.0.1:1
cli_plain 2 status --url gopher://x
one_line 'is no URL'

# --- help ---
# verbs RESOURCE: as its help lists them
verbs() {
    cli_plain 0 "$1" --help
    sed -n '/^verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$RIG_DIR/out"
}

cli_plain 0 --help
quiet
out '^usage: ashlarctl RESOURCE VERB' '--socket PATH' '--json'
cp "$RIG_DIR/out" "$RIG_DIR/help"
for resource in pool volume host mapping session drain portal-group job token; do
    grep -q "^  $resource  " "$RIG_DIR/help" || fail "--help does not know $resource"
    listed=$(verbs $resource)
    [ -n "$listed" ] || fail "$resource --help lists no verb"
    for verb in $listed; do
        grep -qE "^  $resource .*\\b$verb\\b" "$RIG_DIR/help" || fail "--help does not know $resource $verb"
        cli_plain 0 $resource "$verb" --help
        quiet
        out "^usage: ashlarctl $resource $verb"
    done
done
cli_plain 0 status -h
out '^usage: ashlarctl status$'
cli_plain 0 volume create --help
out '--size SIZE' '--block-size 512\|4096' '\[--block-size'
[ "$(awk 'length > 100' "$RIG_DIR/out" | wc -l)" = 0 ] || fail "help has lines over 100 characters"
cli_plain 0 --version
out '^ashlarctl [0-9]+\.[0-9]+'
