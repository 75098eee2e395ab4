#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: a backup made of what is there in one snapshot, and then of what differs between one snapshot
# and the next, is each time the snapshot to the byte, while the volume is written and unmapped all the
# time and snapshots in between are deleted; and so it is from the newest back to the oldest. A clone's
# is made from its origin's. A list that cannot be made says so, and one that is cut off is not whole.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/lun.sh"
. "$(dirname "$0")/../crash/agree.sh"
requires qemu-io qemu-img curl jq python3
requires_ashlar

SIZE=96
rig_init
rig_start
ctl volume create v --pool p --size ${SIZE}MiB
map v 1

# One random write or discard after the other, until it is stopped: whole blocks and odd ones.
load() {
    local i kind at
    for ((i = 1; ; i++)); do
        local steps=()
        for kind in 1 2 3 4 5 6 7 8; do
            at=$((RANDOM * 3 % (SIZE * 1024 - 600)))
            case $kind in
            1) steps+=("write -P $((i % 250 + 1)) ${at}k 512k") ;;
            2) steps+=("discard $((at / 64 * 64))k 256k") ;;
            3) steps+=("write -z ${at}k 64k") ;;
            *) steps+=("write -P $((i % 250 + 1)) ${at}k $((RANDOM % 24 + 1))k") ;;
            esac
        done
        RIG_DIR=$RIG_DIR/load io_try 1 "${steps[@]}" || true
    done
}
mkdir "$RIG_DIR/load"
load &
LOAD=$!
cleanup_fn kill "$LOAD"

# read_back NAME FILE: all of a snapshot, by a LUN.
read_back() {
    map "$1" 9
    timeout 60 qemu-img convert -O raw --image-opts "$(lun 9)" "$2" || fail "$1 cannot be read"
    unmap "$1"
}

# apply LIST SOURCE FILE: what a backup program does with a list.
apply() {
    python3 - "$@" <<'PYTHON' || fail "the list $1 cannot be applied"
import sys
with open(sys.argv[1]) as ranges, open(sys.argv[2], "rb") as source, open(sys.argv[3], "r+b") as file:
    for line in ranges:
        offset, length, state = line.split()
        source.seek(int(offset))
        file.seek(int(offset))
        file.write({"data": source.read, "zero": bytes}[state](int(length)))
PYTHON
}

# increment NAME FROM FILE: FILE, which holds FROM, becomes NAME, by its difference alone.
increment() {
    read_back "$1" "$RIG_DIR/now"
    ctl snapshot diff "$1" --from "$2"
    apply "$RIG_DIR/out" "$RIG_DIR/now" "$3"
    cmp "$RIG_DIR/now" "$3" || fail "the backup of $1 made from $2's differs"
    echo "$1 from $2: $(wc -l <"$RIG_DIR/out") ranges"
}

sleep 1
ctl snapshot create v/s0
read_back v/s0 "$RIG_DIR/now"
truncate -s ${SIZE}M "$RIG_DIR/backup"
ctl snapshot extents v/s0
apply "$RIG_DIR/out" "$RIG_DIR/now" "$RIG_DIR/backup"
cmp "$RIG_DIR/now" "$RIG_DIR/backup" || fail "the full backup differs"
echo "v/s0: $(wc -l <"$RIG_DIR/out") ranges"
for n in 1 2 3 4; do
    sleep 0.7
    ctl snapshot create "v/between$n"
    sleep 0.3
    ctl snapshot create "v/s$n"
    ctl snapshot delete "v/between$n" # and is merged while the list is made
    increment "v/s$n" "s$((n - 1))" "$RIG_DIR/backup"
done
kill "$LOAD"
# shellcheck disable=SC2034 # rig_cleanup reads it
RIG_CLEANUPS=()
wait "$LOAD" 2>/dev/null || true
increment v/s0 s4 "$RIG_DIR/backup"
increment v/s2 v/s0 "$RIG_DIR/backup"

# A clone from its origin, and a volume from its snapshot, after a rollback too.
ctl volume clone v/s2 c
map c 3
io 3 'write -P 0xc1 1M 1M' 'write -P 0xc2 40M 4k' 'discard 64M 1M' 'flush'
ctl snapshot create c/s
increment c/s v/s2 "$RIG_DIR/backup"
unmap v
ctl volume rollback v s1
ctl volume diff v --from s1
[ ! -s "$RIG_DIR/out" ] || { cat "$RIG_DIR/out"; fail "a volume that was rolled back differs from where it went"; }
ctl snapshot diff v/s1 --from c/s
read_back v/s1 "$RIG_DIR/now"
apply "$RIG_DIR/out" "$RIG_DIR/now" "$RIG_DIR/backup"
cmp "$RIG_DIR/now" "$RIG_DIR/backup" || fail "from the clone back it differs"

# In pieces, as a backup program that resumes: the same.
ctl snapshot diff v/s3 --from s0
cp "$RIG_DIR/out" "$RIG_DIR/whole"
: >"$RIG_DIR/pieces"
for ((at = 0; at < SIZE; at += 16)); do
    ctl snapshot diff v/s3 --from s0 --offset $((at << 20)) --length $((16 << 20))
    cat "$RIG_DIR/out" >>"$RIG_DIR/pieces"
done
# shellcheck disable=SC2016
JOIN='{ if (NR > 1 && $1 == end && $3 == state) { end += $2 } else { if (NR > 1) print start, end - start, state; start = $1; end = $1 + $2; state = $3 } } END { print start, end - start, state }'
[ "$(awk "$JOIN" "$RIG_DIR/whole")" = "$(awk "$JOIN" "$RIG_DIR/pieces")" ] || fail "in pieces it is another list"

# By the API: the last line.
curl -sS --unix-socket "$RIG_DIR/api.sock" "http://x/v1/volumes/c/diff?from=v/s2" >"$RIG_DIR/lines"
jq -es 'last as $l | (.[:-1] | length == $l.ranges and (map(.length) | add) == $l.bytes) and $l.end and $l.size == 100663296' \
    "$RIG_DIR/lines" >/dev/null || { tail -3 "$RIG_DIR/lines"; fail "the last line is not what the others are"; }
jq -es '.[:-1] | [.[].offset] == ([.[].offset] | sort)' "$RIG_DIR/lines" >/dev/null || fail "they are not in order"

ctl volume create other --pool p --size 1MiB
refused 'nothing in common' volume diff other --from v/s1
refused 'no snapshot or volume nix' volume diff v --from nix
refused 'no volume nix' volume extents nix
refused '18 digits' volume extents v --offset 1M
pool_agrees "after the backups"
