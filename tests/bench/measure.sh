# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# One measurement: a workload, asked of a URL by a client, as a line of JSON with the members of ashlar-bench (iops, mb_s,
# p50_us, p99_us, p999_us, cpu_s_per_100k, cpu_s_per_gb, again). Source it after rig.sh. Set by the caller: MEASURE_DIR (scratch),
# MEASURE_S and MEASURE_RAMP_S (seconds), MEASURE_FIO (fio), MEASURE_BENCH (ashlar-bench), MEASURE_THREADS (its threads; auto: one a
# session, at most 4, so that the client is not what is measured).

MEASURE_FIO=${MEASURE_FIO:-fio}
MEASURE_THREADS=${MEASURE_THREADS:-auto}
MEASURE_S=${MEASURE_S:-4}
MEASURE_RAMP_S=${MEASURE_RAMP_S:-1}
MEASURE_DIR=${MEASURE_DIR:-}

# workload BLOCK-WHAT-SESSIONSxDEPTH: 4k-read-1x32, 128k-write-1x32, …; sets SESSIONS, DEPTH, BLOCK, READ_PERCENT, ORDER, FLUSH_EVERY
# and TITLE. WHAT: read, write, mixed (70 % reads), flush (each write is followed by a flush). Of less than 64 KiB at random, else in order.
workload() {
    [[ $1 =~ ^([0-9]+)([km])-(read|write|mixed|flush)-([0-9]+)x([0-9]+)$ ]] ||
        fail "no workload: $1; one is BLOCK-WHAT-SESSIONSxDEPTH, as 4k-read-1x32; WHAT: read, write, mixed, flush"
    BLOCK=${BASH_REMATCH[1]}${BASH_REMATCH[2]^} SESSIONS=${BASH_REMATCH[4]} DEPTH=${BASH_REMATCH[5]}
    READ_PERCENT=0 FLUSH_EVERY=0 ORDER=sequential
    case ${BASH_REMATCH[3]} in
    read) READ_PERCENT=100 ;;
    mixed) READ_PERCENT=70 ;;
    flush) FLUSH_EVERY=1 ;;
    esac
    [ "${BASH_REMATCH[2]}" = m ] || [ "${BASH_REMATCH[1]}" -ge 64 ] || ORDER=random
    TITLE="$BLOCK $ORDER $(workload_mix), $SESSIONS x $DEPTH"
    [ "$FLUSH_EVERY" = 0 ] || TITLE="$TITLE, each flushed"
}

workload_mix() {
    case $READ_PERCENT in
    100) echo read ;;
    0) echo write ;;
    *) echo "$READ_PERCENT/$((100 - READ_PERCENT))" ;;
    esac
}

# measure_bench URL PID [OPTION...]: by ashlar-bench.
measure_bench() {
    local url=$1 flags=(--target-pid "$2") rc=0
    shift 2
    [ "$FLUSH_EVERY" = 0 ] || flags+=(--flush-every "$FLUSH_EVERY")
    timeout "$(measure_patience)" "$MEASURE_BENCH" --sessions "$SESSIONS" --depth "$DEPTH" --block "$BLOCK" --"$ORDER" \
        --read-percent "$READ_PERCENT" --threads "$(measure_threads)" --initiator "$RIG_IQN" \
        --ramp "$MEASURE_RAMP_S" --seconds "$MEASURE_S" "${flags[@]}" "$@" "$url" >"$MEASURE_DIR/out" 2>&1 || rc=$?
    [ "$rc" = 0 ] || { cat "$MEASURE_DIR/out" >&2; fail "ashlar-bench on $url: $rc"; }
    head -n 1 "$MEASURE_DIR/out"
}

# Of the workload at hand.
measure_threads() {
    if [ "$MEASURE_THREADS" = auto ]; then
        echo $((SESSIONS < 4 ? SESSIONS : 4))
    else
        echo "$MEASURE_THREADS"
    fi
}

measure_patience() {
    awk -v s="$MEASURE_S" -v r="$MEASURE_RAMP_S" 'BEGIN {print int(s + r + 60)}'
}

# measure_cpu_s PID: processor time so far of all its threads, in seconds.
measure_cpu_s() {
    awk -v hz="$(getconf CLK_TCK)" '{sub(/.*\) /, ""); printf "%.2f", ($12 + $13) / hz}' "/proc/$1/stat"
}

# fio does not tell when its ramp ends: what a second of PID costs is looked at inside of the span that it measures.
measure_cpu_rate() {
    local first last began ended
    sleep "$(awk -v r="$MEASURE_RAMP_S" -v s="$MEASURE_S" 'BEGIN {print r + s * 0.2}')"
    began=$(date +%s.%N) first=$(measure_cpu_s "$1")
    sleep "$(awk -v s="$MEASURE_S" 'BEGIN {print s * 0.7}')"
    ended=$(date +%s.%N) last=$(measure_cpu_s "$1")
    awk -v a="$first" -v b="$last" -v t="$began" -v u="$ended" 'BEGIN {print (b - a) / (u - t)}'
}

# measure_fio ENGINE_OPTION... -- PID: by fio; PID: empty if it has no process.
measure_fio() {
    local flags=() rw=$ORDER pid rc=0 rate=
    while [ "$1" != -- ]; do
        flags+=("$1")
        shift
    done
    pid=${2:-}
    case $ORDER-$READ_PERCENT in
    random-100) rw=randread ;;
    random-0) rw=randwrite ;;
    random-*) rw=randrw flags+=(--rwmixread="$READ_PERCENT") ;;
    *-100) rw="read" ;;
    *) rw="write" ;;
    esac
    [ -z "$pid" ] || measure_cpu_rate "$pid" >"$MEASURE_DIR/rate" &
    timeout "$(measure_patience)" "$MEASURE_FIO" --name=job --rw="$rw" --bs="${BLOCK,,}" --iodepth="$DEPTH" --numjobs="$SESSIONS" \
        --thread --group_reporting --unified_rw_reporting=1 --lat_percentiles=1 --clat_percentiles=0 --norandommap --randrepeat=0 --time_based --runtime="$(measure_ms "$MEASURE_S")" \
        --ramp_time="$(measure_ms "$MEASURE_RAMP_S")" --output-format=json --output="$MEASURE_DIR/fio.json" "${flags[@]}" >"$MEASURE_DIR/out" 2>&1 || rc=$?
    wait $!
    [ "$rc" = 0 ] || { cat "$MEASURE_DIR/out" "$MEASURE_DIR/fio.json" >&2; fail "fio ${flags[*]}: $rc"; }
    [ -z "$pid" ] || rate=$(cat "$MEASURE_DIR/rate")
    # fio may say a line before its JSON.
    sed -n '/^{/,$p' "$MEASURE_DIR/fio.json" | jq -c --arg rate "$rate" '.jobs[0].mixed |
        {commands: .total_ios, again: 0, iops, mb_s: (.bw_bytes / 1e6),
         p50_us: (.lat_ns.percentile["50.000000"] / 1000), p99_us: (.lat_ns.percentile["99.000000"] / 1000),
         p999_us: (.lat_ns.percentile["99.900000"] / 1000)} +
        if $rate == "" then {} else
        {cpu_s_per_100k: (($rate | tonumber) / .iops * 100000), cpu_s_per_gb: (($rate | tonumber) / .bw_bytes * 1e9)} end'
}

# fio's seconds are whole.
measure_ms() {
    awk -v s="$1" 'BEGIN {printf "%dms", s * 1000}'
}

# What fio is told for a URL or a file.
measure_fio_iscsi() {
    echo "--ioengine=libiscsi --initiator=$RIG_IQN --fsync=$FLUSH_EVERY --filename=${1//:/\\:}"
}

measure_fio_nbd() {
    echo "--ioengine=nbd --fsync=$FLUSH_EVERY --uri=$1"
}

# Past the page cache where the file system lets it.
measure_fio_file() {
    local direct=0
    ! dd if="$1" of=/dev/null bs=4K count=1 iflag=direct status=none 2>/dev/null || direct=1
    echo "--ioengine=io_uring --direct=$direct --fdatasync=$FLUSH_EVERY --filename=$1"
}

measure_fio_loop() {
    echo "--ioengine=psync --fdatasync=$FLUSH_EVERY --filename=$1"
}

# measure_page_cache FILE small|large|asis: Linux keeps what was read through in order in large pages, and writes of 4 KiB
# into those cost a multiple. So what the page cache has of the file is made equal: all of it, read by 4 KiB at random or in order.
measure_page_cache() {
    [ "$2" != asis ] || return 0
    sync "$1"
    dd if="$1" iflag=nocache count=0 status=none
    if [ "$2" = large ]; then
        cat "$1" >/dev/null
    else
        "$MEASURE_FIO" --name=pages --filename="$1" --rw=randread --bs=4k --ioengine=io_uring --iodepth=32 --fadvise_hint=random \
            --output="$MEASURE_DIR/out" || fail "fio on $1"
    fi
}

# What the next two are made of: the middle, and a figure in a table (whole from 100 on, else with two digits behind the point).
MEASURE_JQ='def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
    def figure: if . == null then "" elif . >= 100 then round else . * 100 | round / 100 end;'

# measure_medians FILE KEY...: of lines of JSON, as cells of a row; an empty one where there is no such member.
measure_medians() {
    local file=$1
    shift
    jq -s -r "$MEASURE_JQ"' . as $runs | [$ARGS.positional[] as $key | [$runs[][$key]] |
        if any(. == null) then null else median end | figure] | map("\(.) | ") | add' "$file" --args "$@"
}

# measure_ratio FILE FILE KEY: the median of the rounds' ratios.
measure_ratio() {
    jq -s -r --slurpfile of "$2" --arg key "$3" "$MEASURE_JQ"' [., $of] | transpose |
        map(if .[0][$key] == null or (.[1][$key] // 0) == 0 then null else .[0][$key] / .[1][$key] end) |
        if any(. == null) then null else median end | figure' "$1"
}

# measure_split FILE DIR: the lines that compare and idle keep, those of a row to DIR/STORAGE.WORKLOAD.TARGET.runs (idle: TARGET.runs).
measure_split() {
    local name
    jq -r '[.storage, .workload, .target | strings] | join(".")' "$1" | sort -u | while read -r name; do
        jq -c --arg name "$name" 'select(([.storage, .workload, .target | strings] | join(".")) == $name)' "$1" >"$2/$name.runs"
    done
}

# measure_waits FILE: how often p99 has the mean time that a command waits (those that are open, by IOPS): the median of the rounds.
measure_waits() {
    jq -s -r "$MEASURE_JQ"' map(.p99_us * .iops / 1e6 / (.sessions * .depth)) | median | figure' "$1"
}

# The machine's facts, for whoever reads the table. measure_facts DIRECTORY...
measure_facts() {
    local dir
    echo "$(date +%F), $(nproc) processors ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)), $(awk '/^MemTotal/ {printf "%.0f GiB", $2 / 1048576}' /proc/meminfo), Linux $(uname -r), $(. /etc/os-release && echo "$PRETTY_NAME"), load $(cut -d' ' -f1-3 /proc/loadavg)"
    for dir in "$@"; do
        echo "  $dir: $(df --output=fstype "$dir" | tail -n 1)"
    done
}
