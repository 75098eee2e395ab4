#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The linter must be able to fail: the document with one mistake at a time is refused, and the rule that
# is broken is named. Usage: selftest.sh CACHE DOCUMENT SCRATCH
set -u
here=$(dirname "$(readlink -f "$0")")
cache=$1 document=$2 scratch=$3
failed=0 cases=0

# refused RULE SED-SCRIPT: the document so changed breaks RULE.
refused() {
    local out
    sed "$2" "$document" >"$scratch/bad.yaml"
    if cmp -s "$document" "$scratch/bad.yaml"; then
        echo "the mistake for $1 changes nothing: $2"
        failed=1
    elif out=$("$here/lint.sh" "$cache" "$scratch/bad.yaml" 2>&1); then
        echo "not refused by $1: $2"
        failed=1
    elif ! grep -qw -- "$1" <<<"$out"; then
        echo "refused, but not by $1: $2"
        echo "$out"
        failed=1
    fi
    cases=$((cases + 1))
}

mkdir -p "$scratch"
refused struct '0,/^      summary:/s//      heading:/'
refused no-unresolved-refs '0,/schemas\/PoolList/s//schemas\/PoolLists/'
refused no-unused-components 's/^  schemas:$/&\n    Unused: {type: string}/'
refused no-invalid-schema-examples 's/- {name: backup-job, scope/- {name: 7, scope/'
refused no-invalid-media-type-examples 's/^            status: 409$/            status: none/'
refused operation-operationId-unique 's/operationId: pool_show/operationId: pool_list/'
refused operation-summary '0,/^      summary: .*/s///'
refused path-parameters-defined 's/^  \/v1\/volumes\/{volume}:/  \/v1\/volumes\/{other}:/'
refused security-defined 's/^  - token: \[\]/  - tokens: []/'
refused no-schema-type-mismatch 's/^    Labels:/&\n      items: {type: string}/'
rm -rf "$scratch"
[ $failed = 0 ] && echo "openapi selftest: $cases mistakes refused"
exit "$failed"
