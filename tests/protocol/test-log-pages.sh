#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: what LOG SENSE tells is what was done and what there is: the reads and writes of a unit, counted once
# each, and in blocks; the space that it has and that its pool has left, as the API tells them, in sets of the
# size that VPD page B2h tells. Another unit of the pool has its own figures, and the same space left.
# Environment: LOG_READS, LOG_WRITES: how many of each.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
requires iscsi-ls curl jq
requires_ashlar

READS=${LOG_READS:-40}
WRITES=${LOG_WRITES:-21}
BYTES=4096 # of each
SET_BYTES=65536
checked=0

# page LUN TITLE: the bytes of a page as the unit tells it now, in hex without spaces.
page() {
    timeout 60 "$(rig_bin ashlar-pages)" --raw "$(rig_url "$1")" "$RIG_IQN" >"$RIG_DIR/pages" ||
        fail "ashlar-pages ends with $? on LUN $1"
    awk -v title="== $2:" '/^==/ {here = index($0, title) == 1; next} here {$1 = ""; gsub(/ /, ""); printf "%s", $0}' \
        "$RIG_DIR/pages"
}

# number HEX OFFSET BYTES
number() {
    echo $((16#${1:$2*2:$3*2}))
}

# is WHAT VALUE WANTED
is() {
    [ "$2" = "$3" ] || fail "$1 is $2, not $3"
    checked=$((checked + 1))
}

# figures LUN: reads, writes, blocks received and transmitted are in FIGURES.
figures() {
    local hex at
    hex=$(page "$1" 'LOG 19/00 general statistics and performance, cumulative')
    is "the parameter's header" "${hex:8:8}" 00012340
    FIGURES=()
    for at in 8 16 24 32; do
        FIGURES+=("$(number "$hex" "$at" 8)")
    done
}

# Space as the unit tells it, held against the API's.
space_is_as_the_api_tells() {
    local lun=$1 name=$2 hex allocated free
    hex=$(page "$lun" 'LOG 0c/00 logical block provisioning, cumulative')
    allocated=$(rig_api GET "/v1/volumes/$name" | jq .allocated)
    free=$(rig_api GET /v1/pools/p | jq .free)
    is "available" $(($(number "$hex" 8 4) * SET_BYTES)) "$free"
    is "its scope" "$(number "$hex" 12 1)" 2
    is "used" $(($(number "$hex" 20 4) * SET_BYTES)) "$allocated"
    is "its scope" "$(number "$hex" 24 1)" 1
    USED=$(number "$hex" 20 4)
    AVAILABLE=$(number "$hex" 8 4)
}

# work LUN: a session does its reads and writes there.
work() {
    timeout 60 "$(rig_bin ashlar-figures)" 127.0.0.1 "$RIG_PORT" "$RIG_NAME" "$RIG_IQN2" "$1" "$READS" "$WRITES" \
        </dev/null >/dev/null || fail "the client does not get through"
}

rig_init
rig_start
rig_volume a 64MiB 1
rig_volume b 64MiB 2
for lun in 1 2; do
    hex=$(page "$lun" 'VPD b2 logical block provisioning')
    is "the threshold set" $((512 << $(number "$hex" 4 1))) "$SET_BYTES"
done
space_is_as_the_api_tells 1 a
is "used by a unit that was never written" "$USED" 0
before=$AVAILABLE
figures 2
other_was=${FIGURES[*]}
figures 1
was=("${FIGURES[@]}")
for round in 1 2; do
    work 1
    figures 1
    is "reads, round $round" $((FIGURES[0] - was[0])) $((round * READS))
    is "writes, round $round" $((FIGURES[1] - was[1])) $((round * WRITES))
    is "blocks received, round $round" $((FIGURES[2] - was[2])) $((round * WRITES * BYTES / 512))
    is "blocks transmitted, round $round" $((FIGURES[3] - was[3])) $((round * READS * BYTES / 512))
done
space_is_as_the_api_tells 1 a
is "used by what was written" "$USED" 1
is "left of what was there" $((before - AVAILABLE)) 1
space_is_as_the_api_tells 2 b
is "used by another unit" "$USED" 0
figures 2
is "figures of another unit" "${FIGURES[*]}" "$other_was"
echo "$READS reads and $WRITES writes twice, space of two units: $checked checked"
