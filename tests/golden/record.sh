#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Records the logins of real initiators (AuthMethod=None), through a proxy in front of a daemon of this tree.
# Usage: tests/golden/record.sh DIR. They are kept in tests/golden; a new one has its answers read against
# RFC 7143 before it is, for what the target said is not by that right.
set -eu
out=$(mkdir -p "${1:?usage: tests/golden/record.sh DIR}" && cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/rig.sh
. "$root/tests/lib/rig.sh"
# shellcheck source=tests/guest/initiator.sh
. "$root/tests/guest/initiator.sh"
# shellcheck source=tests/guest/ipxe.sh
. "$root/tests/guest/ipxe.sh"
# shellcheck source=tests/e2e/lun.sh
. "$root/tests/e2e/lun.sh"
initiator_requires
requires python3 iscsi-ls iscsi-inq qemu-img
RIG_IQN=iqn.2026-01.example.host:golden

# keep NAME...: the logins since the last time, in their order.
keep() {
    local name file
    for name in "$@"; do
        file=$(find "$RIG_DIR/logins" -type f | sort | head -n 1)
        mv "$file" "$out/$name.login"
    done
    rm -f "$RIG_DIR"/logins/*
}

rig_init
proxy=$(rig_free_port)
RIG_FLAGS+=(--target-name iqn.2026-01.example.ashlar:golden --advertise "10.0.2.2:$proxy")
rig_start
rig_volume v 64MiB 1
mkdir "$RIG_DIR/logins"
python3 "$root/tests/golden/recorder.py" "$proxy" "$RIG_PORT" "$RIG_DIR/logins" 2>"$RIG_DIR/recorder.log" &
cleanup_fn kill $!
until (exec 3<>"/dev/tcp/127.0.0.1/$proxy") 2>/dev/null; do sleep 0.1; done
RIG_PORT=$proxy

iscsi-ls -i "$RIG_IQN" "$(rig_portal_url)" >/dev/null
iscsi-inq -i "$RIG_IQN" "$(rig_url 1)" >/dev/null
keep libiscsi-discovery libiscsi
qemu-img info --image-opts "$(lun 1)" >/dev/null
keep qemu
ipxe_boot "$RIG_DIR/console" "$proxy" 1 2>/dev/null || true # there is nothing to boot
keep ipxe
initiator_boot record 200
initiator_end
keep linux-discovery linux linux-digests
