#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: the crash test can fail. While the target is dead a flushed megabyte is put back to what it
# was, one sector of each block is, or what another volume has written is put in: each is found, by name.
set -euo pipefail
RIG_TARGET=tgt
export RIG_TARGET
. "$(dirname "$0")/../lib/rig.sh"
requires tgtd tgtadm iscsi-ls

# spoiled NAME COMMAND TEXT: kill9.sh with that command fails and says TEXT.
spoiled() {
    local out
    if out=$(KILL9_SPOIL=$2 timeout 60 bash "$(dirname "$0")/kill9.sh" 2 5 2>&1); then
        echo "$out"
        fail "$1 is not seen"
    fi
    grep -q "$3" <<<"$out" || { echo "$out"; fail "$1: it does not say '$3'"; }
    echo "ok: $1 is seen"
}

# shellcheck disable=SC2016 # kill9.sh expands it
keep='if [ "$ROUND" = 1 ]; then cp "$RIG_DIR/a.img" "$RIG_DIR/old.img"; fi'
spoiled "a lost flush" \
    "$keep; dd if=\$RIG_DIR/old.img of=\$RIG_DIR/a.img bs=1M count=1 seek=2 skip=2 conv=notrunc status=none" \
    "LOST: older"
spoiled "a torn block" \
    "$keep; for i in \$(seq 65 8 800); do dd if=\$RIG_DIR/old.img of=\$RIG_DIR/a.img bs=512 count=1 seek=\$i skip=\$i conv=notrunc status=none; done" \
    "TORN or mixed"
spoiled "another volume's data" \
    "dd if=\$RIG_DIR/b.img of=\$RIG_DIR/a.img bs=4096 conv=sparse,notrunc status=none" \
    "FOREIGN"
spoiled "zeros" "dd if=/dev/zero of=\$RIG_DIR/a.img bs=4096 count=64 seek=300 conv=notrunc status=none" \
    "LOST\|TORN"
