#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A guest fills its pool: QEMU pauses it and says that there is no space; it stays paused as long as there is
# none. A volume is deleted and purged, the guest goes on where it was, sees no error and reads back all
# that it wrote. All the time a volume of another pool takes new data, and one in the full pool is
# overwritten where it has its space; neither notices.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/rig.sh
. "$here/../lib/rig.sh"
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/e2e/lun.sh
. "$here/../e2e/lun.sh"
requires qemu-system-x86_64 qemu-io busybox cpio mke2fs jq curl iscsi-ls
requires_ashlar
GUEST_CACHE=${GUEST_CACHE:-$RIG_ROOT/var/cache}
MiB=1048576
FILES=12 # of 4 MiB

rig_init
RIG_POOL_SIZE=96MiB
rig_start
ctl pool create q --device "$RIG_DIR/other.img,size=512MiB"
rig_volume guest 512MiB 1
rig_volume filler 64MiB 2
rig_volume there 8MiB 3
ctl volume create elsewhere --pool q --size 256MiB
rig_map elsewhere h1 4
io 2 'write -P 0xf1 0 48M' flush
io 3 'write -P 0xa1 0 8M' flush

# loads NAME LUN FLAG...: verified writes and reads, a run after the other, until the file "end" is there. Each
# run that was all right is a line of NAME. The seed is in the names of its sessions too: no two at once.
loads() {
    local name=$1 run=0
    shift
    while [ ! -e "$RIG_DIR/end" ]; do
        run=$((run + 1))
        "$(rig_bin ashlar-load)" --connections 2 --ops 400 --seed $((1000 * $1 + run)) --mix 55,40,5,0,0 "${@:2}" "$(rig_url "$1")" \
            >"$RIG_DIR/$name.out" 2>&1 || return 1
        echo $run >>"$RIG_DIR/$name"
        sleep 1
    done
}

# more_of NAME PID: until two more runs are through, of which one began after now.
more_of() {
    local from
    from=$(wc -l <"$RIG_DIR/$1")
    until [ "$(wc -l <"$RIG_DIR/$1")" -ge $((from + 2)) ]; do
        kill -0 "$2" 2>/dev/null || { cat "$RIG_DIR/$1.out"; fail "the load $1 ended"; }
        sleep 0.2
    done
}

# qmp COMMAND: to QEMU, whose answers and events go to the file "qmp", a line each.
qmp() {
    echo "{\"execute\": \"$1\"}" 1<>"$RIG_DIR/qmp.in"
}

# told FILTER: how often QEMU has said that.
told() {
    jq -c "select($1)" "$RIG_DIR/qmp" | wc -l
}

await() {
    until [ "$(told "$1")" -ge "$2" ]; do
        kill -0 "$guest" 2>/dev/null || {
            guest_explain "$RIG_DIR/console" "QEMU was to say: $1"
            fail "the guest ended"
        }
        sleep 0.2
    done
}
NOSPACE='.event == "BLOCK_IO_ERROR" and .data.nospace and .data.action == "stop" and .data.operation == "write"'

for i in in out; do
    mkfifo "$RIG_DIR/qmp.$i"
done
cat <>"$RIG_DIR/qmp.out" >"$RIG_DIR/qmp" &
reader=$!
cleanup_fn kill "$reader"
: >"$RIG_DIR/there"
: >"$RIG_DIR/elsewhere"
loads there 3 --region $((2 * MiB)) &
there=$!
loads elsewhere 4 --region $((4 * MiB)) &
elsewhere=$!
cleanup_fn touch "$RIG_DIR/end"

image=$(guest_disk_image) || fail "no initramfs for the guest"
guest_boot "$RIG_DIR/console" "$image" 240 "ashlar.mode=both ashlar.files=$FILES ashlar.kib=4096" \
    -drive "file=$(rig_url 1),if=none,id=d,format=raw,cache=none,werror=enospc" -device virtio-blk-pci,drive=d \
    -iscsi "initiator-name=$RIG_IQN" -pidfile "$RIG_DIR/qemu.pid" \
    -chardev "pipe,id=qmp,path=$RIG_DIR/qmp" -mon chardev=qmp,mode=control &
guest=$!
guest_kill() {
    [ ! -s "$RIG_DIR/qemu.pid" ] || kill -KILL "$(cat "$RIG_DIR/qemu.pid")"
}
cleanup_fn guest_kill
await .QMP 1 # before that nobody reads
qmp qmp_capabilities

await "$NOSPACE" 1
await '.event == "STOP"' 1
qmp query-status
await '.return.status? == "io-error"' 1
more_of there "$there"
more_of elsewhere "$elsewhere"

# Not without space.
errors=$(told "$NOSPACE")
qmp cont
await "$NOSPACE" $((errors + 1))
await '.event == "STOP"' 2
more_of there "$there"

unmap filler
rig_ctl mapping delete filler/h2 >/dev/null
rig_api DELETE '/v1/volumes/filler?purge=1' >/dev/null || fail "the filler cannot be purged"
has_space() {
    [ "$(of /v1/pools/p .free)" -ge $((46 * MiB)) ]
}
for _ in $(seq 300); do
    ! has_space || break
    sleep 0.1
done
has_space || fail "the filler's space does not come back"
stops=$(told '.event == "STOP"')
qmp cont
wait "$guest" || fail "the guest did not pass"
[ "$(told '.event == "STOP"')" = "$stops" ] || fail "it was paused again"
[ "$(guest_value "$RIG_DIR/console" files)" = $FILES ] || fail "not all files are there"

touch "$RIG_DIR/end"
wait "$there" || { cat "$RIG_DIR/there.out"; fail "overwrites in the full pool failed"; }
wait "$elsewhere" || { cat "$RIG_DIR/elsewhere.out"; fail "the volume of another pool failed"; }
echo "paused $stops times, went on; $FILES files; beside it" \
    "$(wc -l <"$RIG_DIR/there") and $(wc -l <"$RIG_DIR/elsewhere") loads"
