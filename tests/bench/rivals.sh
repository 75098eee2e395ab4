# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# What a comparison puts beside each other, each with one disk of the same size, all of it written: source it after
# rig.sh, in a subshell for each. To rig.sh's ashlar and tgt it adds istgt and nbdkit, as Debian ships them and with what
# their packages' examples say.

RIVALS="ashlar ashlar-uring ashlar-threads ashlar-one ashlar-silent tgt-rdwr tgt-aio istgt nbdkit bare bare-one file loop"

# What must be installed for one of them.
rival_needs() {
    case $1 in
    tgt-*) echo tgtd tgtadm iscsi-ls ;;
    istgt) echo istgt iscsi-ls ;;
    nbdkit) echo nbdkit fio ;;
    file | loop) echo fio ;;
    bare*) ;;
    *) echo iscsi-ls curl ;;
    esac
}

# It has bytes of its own: bare answers and keeps nothing, for what is the network's and the client's part of any target's figures.
rival_has_disk() {
    [[ $1 != bare* ]]
}

# iscsi, nbd, file or loop: how it is asked. A loop writes to the bare file, each session by itself, and syncs by the C library.
rival_speaks() {
    case $1 in
    nbdkit) echo nbd ;;
    file | loop) echo "$1" ;;
    *) echo iscsi ;;
    esac
}

# Its reads and writes go by the page cache.
rival_is_buffered() {
    case $1 in
    tgt-rdwr | istgt | nbdkit) ;;
    *) return 1 ;;
    esac
}

rival_syncs_by_libc() {
    case $1 in
    ashlar | ashlar-uring | ashlar-one | bare* | file) return 1 ;;
    esac
}

rival_version() {
    case $1 in
    ashlar* | bare*) git -C "$RIG_ROOT" describe --always --dirty 2>/dev/null || echo "of no known commit" ;;
    tgt-*) dpkg-query -W -f '${Version}' tgt ;;
    file | loop) fio --version ;;
    *) dpkg-query -W -f '${Version}' "$1" ;;
    esac
}

# rival_start NAME SIZE: sets RIVAL_URL and RIVAL_FILE; its process is RIG_PID (empty: there is none). SIZE: as 1GiB.
rival_start() {
    local name=$1 size=$2
    RIVAL_URL='' RIVAL_FILE=$RIG_DIR/v.img RIVAL_BYTES=$(numfmt --from=iec-i --suffix=B "$size")
    RIVAL_BYTES=${RIVAL_BYTES%B}
    case $name in
    ashlar*) rival_start_ashlar "$name" "$size" ;;
    tgt-*) RIG_BSTYPE=${name#tgt-} rival_start_tgt "$size" ;;
    istgt | nbdkit) rival_start_file "$name" ;;
    bare*) rival_start_bare "$name" ;;
    file | loop) rival_write_file ;;
    *) fail "no rival: $name; there are: $RIVALS" ;;
    esac
}

rival_start_ashlar() {
    case $1 in
    ashlar-uring) RIG_ENGINE=uring ;;
    ashlar-threads) RIG_ENGINE=threads ;;
    ashlar-one) RIG_REACTORS=1 RIG_ENGINE=auto ;;
    *) RIG_ENGINE=auto ;;
    esac
    RIG_TARGET=ashlar RIG_POOL_SIZE=$(((RIVAL_BYTES * 5 / 4 >> 20) + 64))MiB
    rig_start
    rig_volume v "$2" 1
    RIVAL_FILE=$RIG_DIR/pool.img RIVAL_URL=$(rig_url 1)
}

rival_start_tgt() {
    RIG_TARGET=tgt
    rig_start
    rig_volume v "$1" 1
    RIVAL_URL=$(rig_url 1)
}

# Its file is there before it starts. What it is called is known: istgt does not answer libiscsi's discovery, NBD has none.
rival_start_file() {
    RIG_TARGET=$1
    rig_target_name() { echo iqn.2026-01.test.ashlar:istgt; }
    truncate -s "$RIVAL_BYTES" "$RIVAL_FILE"
    [ "$1" = istgt ] || rival_write_file
    rig_start
    RIVAL_URL=nbd://127.0.0.1:$RIG_PORT/
    [ "$1" = nbdkit ] || RIVAL_URL=$(rig_url 0)
}

rival_start_bare() {
    RIG_TARGET=bare
    [ "$1" = bare ] || RIG_REACTORS=1
    rig_target_name() { echo iqn.2026-01.test.ashlar:bare; }
    rig_start
    RIVAL_URL=$(rig_url 0)
}

rival_write_file() {
    openssl enc -aes-128-ctr -nosalt -K 00000000000000000000000000000001 -iv 0 </dev/zero 2>/dev/null |
        dd of="$RIVAL_FILE" bs=1M count=$((RIVAL_BYTES >> 20)) iflag=fullblock status=none || true
    [ "$(stat -c %s "$RIVAL_FILE")" = "$RIVAL_BYTES" ] || fail "$RIVAL_FILE could not be written"
}

rig_nbdkit_spawn() {
    nbdkit -f -i 127.0.0.1 -p "$RIG_PORT" file "$RIVAL_FILE" >>"$RIG_DIR/daemon.log" 2>&1 &
    RIG_PID=$!
}

rig_nbdkit_ready() {
    rig_port_open
}

rig_bare_spawn() {
    "$(rig_bin ashlar-bare-target)" --port "$RIG_PORT" --threads "$RIG_REACTORS" --size "$RIVAL_BYTES" >>"$RIG_DIR/daemon.log" 2>&1 &
    RIG_PID=$!
}

rig_bare_ready() {
    rig_port_open
}

rig_istgt_spawn() {
    rig_istgt_conf >"$RIG_DIR/istgt.conf"
    (umask 077 && : >"$RIG_DIR/auth.conf")
    istgt -D -c "$RIG_DIR/istgt.conf" -p "$RIG_DIR/istgt.pid" >>"$RIG_DIR/daemon.log" 2>&1 &
    RIG_PID=$!
}

rig_istgt_ready() {
    rig_port_open
}

rig_istgt_conf() {
    cat <<EOF
[Global]
  NodeBase "iqn.2026-01.test.ashlar"
  AuthFile $RIG_DIR/auth.conf
  PidFile $RIG_DIR/istgt.pid
  MediaDirectory $RIG_DIR
  Timeout 30
  NopInInterval 20
  DiscoveryAuthMethod None
  MaxSessions 1024
  MaxConnections 4
  MaxR2T 32
  MaxOutstandingR2T 16
  DefaultTime2Wait 2
  DefaultTime2Retain 60
  FirstBurstLength 262144
  MaxBurstLength 1048576
  MaxRecvDataSegmentLength 262144
  InitialR2T Yes
  ImmediateData Yes
  DataPDUInOrder Yes
  DataSequenceInOrder Yes
  ErrorRecoveryLevel 0
[UnitControl]
  AuthMethod None
[PortalGroup1]
  Portal one 127.0.0.1:$RIG_PORT
[InitiatorGroup1]
  InitiatorName "ALL"
  Netmask 127.0.0.1
[LogicalUnit1]
  TargetName istgt
  Mapping PortalGroup1 InitiatorGroup1
  AuthMethod None
  UnitType Disk
  LUN0 Storage $RIVAL_FILE $((RIVAL_BYTES >> 20))MB
EOF
}
