#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: snapshots of several volumes are of one instant: of a writer that writes each number to one
# volume and, when that is answered, to the other, no snapshot shows the second without the first.
# INSTANT_GROUPS: 12.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/lun.sh"
requires qemu-io qemu-img curl jq
requires_ashlar

GROUPS_MADE=${INSTANT_GROUPS:-12}
rig_init
rig_start
ctl volume create a --pool p --size 1MiB
ctl volume create b --pool p --size 1MiB
map a 1
map b 2

# One qemu-io a volume, fed through a pipe, so that one session does all writes in order.
open_writer() {
    mkfifo "$RIG_DIR/in$1" "$RIG_DIR/out$1"
    stdbuf -oL qemu-io --image-opts "$(lun "$1")" <"$RIG_DIR/in$1" >"$RIG_DIR/out$1" 2>&1 &
}
open_writer 1
exec 11>"$RIG_DIR/in1" 21<"$RIG_DIR/out1"
open_writer 2
exec 12>"$RIG_DIR/in2" 22<"$RIG_DIR/out2"

# put VOLUME N: answered.
put() {
    local line
    echo "write -P $2 0 4k" >&"1$1"
    while read -r -t 30 line <&"2$1"; do
        case $line in
        *wrote*) return 0 ;;
        *rror* | *ail*) break ;;
        esac
    done
    echo "the writer of $1 says: $line" >"$RIG_DIR/writer"
    return 1
}

write_on() {
    local n=0
    while [ ! -e "$RIG_DIR/enough" ]; do
        n=$((n % 250 + 1))
        put 1 $n && put 2 $n || return 1
    done
}
write_on &
WRITER=$!

for i in $(seq "$GROUPS_MADE"); do
    sleep "0.$((RANDOM % 10))$((RANDOM % 10))"
    ctl snapshot create a b --name "s$i"
done
: >"$RIG_DIR/enough"
wait "$WRITER" || fail "$(cat "$RIG_DIR/writer" 2>/dev/null || echo 'the writer failed')"
exec 11>&- 12>&- 21<&- 22<&-

# first VOLUME/SNAPSHOT: its first byte.
first() {
    map "$1" 9
    timeout 60 qemu-img convert -O raw --image-opts "$(lun 9)" "$RIG_DIR/raw" || fail "cannot read $1"
    unmap "$1"
    od -An -tu1 -N1 "$RIG_DIR/raw" | tr -d ' '
}

compare() {
    local i a b moved=0
    for i in $(seq "$GROUPS_MADE"); do
        a=$(first "a/s$i")
        b=$(first "b/s$i")
        # As far as it goes, or one behind; numbers begin again after 250.
        [ "$a" = "$b" ] || [ $((b % 250 + 1)) = "$a" ] || fail "snapshot s$i: a has $a, b has $b"
        [ "$a" = 0 ] || moved=$((moved + 1))
    done
    [ $moved -gt 0 ] || fail "nothing was ever written"
}
compare
restart
compare
