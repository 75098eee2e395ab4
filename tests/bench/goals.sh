# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The goals themselves: for each part what measures it, and its rows with floor and goal. Sourced by goals, whose functions it uses.

# times PART STORAGE WORKLOAD TARGET FLOOR GOAL: IOPS beside it.
times() {
    workload "$3"
    judge "$TITLE: IOPS, times $4" "$(ratio "$1/$2.$3.ashlar" "$1/$2.$3.$4" iops)" least "$5" "$6"
}

# costs WORKLOAD 100k|gb FLOOR GOAL: processor time of the target.
costs() {
    workload "$1"
    judge "$TITLE: CPU-s per ${2/gb/GB}" "$(figure "ram/ram.$1.ashlar" "cpu_s_per_$2")" most "$3" "$4"
}

# costs_beside WORKLOAD TARGET FLOOR GOAL: the same as a part of another's, for processors differ.
costs_beside() {
    workload "$1"
    judge "$TITLE: CPU-s per command, times $2" "$(ratio "ram/ram.$1.ashlar" "ram/ram.$1.$2" cpu_s_per_100k)" most "$3" "$4"
}

# --- on RAM ---

make_ram() {
    compared ram "$RAM" none --targets "ashlar tgt-rdwr tgt-aio nbdkit" --beside "tgt-aio tgt-rdwr" \
        --workloads "4k-read-1x32 4k-write-1x32 4k-read-4x16 4k-write-4x16 128k-read-1x32 128k-write-1x32 1m-read-1x32"
    # Of each target some runs have client and daemon on one processor, where a command takes a third of the time: many, and short.
    compared depth-1 "$RAM" none --rounds $((ROUNDS * 3)) --seconds 1 --targets "ashlar tgt-rdwr tgt-aio istgt nbdkit" --beside "tgt-aio tgt-rdwr istgt" \
        --workloads "4k-read-1x1 4k-write-1x1"
}

judge_ram() {
    times ram ram 4k-read-1x32 tgt-aio 1.7 2.2
    costs 4k-read-1x32 100k - 0.45
    costs_beside 4k-read-1x32 tgt-aio 0.59 0.41
    times ram ram 4k-write-1x32 tgt-aio 1.4 1.7
    costs 4k-write-1x32 100k - 0.6
    costs_beside 4k-write-1x32 tgt-aio 0.67 0.5
    times ram ram 4k-read-4x16 tgt-aio 2.0 3.0
    times ram ram 4k-write-4x16 tgt-aio 1.8 2.4
    at_depth_1 4k-read-1x1
    at_depth_1 4k-write-1x1
    times ram ram 128k-read-1x32 tgt-rdwr 1.6 2.2
    costs 128k-read-1x32 gb - 0.25
    times ram ram 128k-write-1x32 tgt-rdwr 2.0 3.0
    costs 128k-write-1x32 gb - 0.4
    times ram ram 1m-read-1x32 tgt-rdwr 2.0 3.0
    costs 1m-read-1x32 gb - 0.25
}

# at_depth_1 WORKLOAD: below tgt's better is below both of it; ratios have two digits.
at_depth_1() {
    local ours=depth-1/ram.$1.ashlar aio rdwr istgt
    aio=$(ratio "$ours" "depth-1/ram.$1.tgt-aio" p50_us) rdwr=$(ratio "$ours" "depth-1/ram.$1.tgt-rdwr" p50_us)
    istgt=$(ratio "$ours" "depth-1/ram.$1.istgt" p50_us)
    workload "$1"
    judge "$TITLE: p50, times tgt's better" "$(most "$aio" "$rdwr")" most 0.99 -
    judge "$TITLE: p50, times the best iSCSI peer's" "$(most "$aio" "$rdwr" "$istgt")" most - 0.99
}

# --- on the disk ---

# By the client that costs least: one session of libiscsi may get less from a target without a disk than a disk has.
make_disk() {
    compared disk none "$DISK" --targets "ashlar file" --beside file --client wire --workloads "4k-read-1x32 4k-write-1x32"
}

judge_disk() {
    times disk disk 4k-read-1x32 file 0.5 0.65
    times disk disk 4k-write-1x32 file 0.8 0.95
}

# --- reactors and sessions ---

# Curves over sessions, each in its order: with as many commands in each session, and with so few that all sessions together have
# hardly more than one of them.
SESSION_CURVES=("4k-read-1x32 4k-read-16x32 4k-read-256x32" "4k-write-1x32 4k-write-16x32 4k-write-256x32")
SPARSE_CURVES=("4k-read-1x32 4k-read-16x2 4k-read-256x1" "4k-write-1x32 4k-write-16x2 4k-write-256x1")
SPARSE_LOADS=${SPARSE_CURVES[*]}
SESSION_LOADS="$SPARSE_LOADS 4k-read-16x32 4k-read-256x32 4k-write-16x32 4k-write-256x32"

# By the client that costs least: with one command a session libiscsi is what is full.
make_sessions() {
    compared sessions "$RAM" none --targets "ashlar-one ashlar" --beside ashlar-one --client wire --workloads "$SESSION_LOADS"
    compared sparse "$RAM" none --targets "ashlar-one bare-one ashlar bare" --beside "bare-one bare" --client wire --workloads "$SPARSE_LOADS"
}

# A curve is to lose at most 10 % from its best point on. Where points before the best are further below it, it rises, which is the
# goal; so each point is held against those before it. With few commands a session each has packets of its own, and any target loses by
# them: there the floor is a part of what a target has that only answers.
judge_sessions() {
    local load target curve
    for target in ashlar-one ashlar; do
        for curve in "${SESSION_CURVES[@]}"; do
            judge_curve "$curve" "$target"
        done
        for curve in "${SPARSE_CURVES[@]}"; do
            judge_sparse_curve "$curve" "$target"
        done
        for load in $SESSION_LOADS; do
            workload "$load"
            judge "$TITLE, $(reactors_of "$target"): p99, times the mean wait" "$(waits "sessions/ram.$load.$target")" most 10 -
        done
    done
    for load in $SESSION_LOADS; do
        workload "$load"
        judge "$TITLE: IOPS with 2 reactors, times 1" "$(ratio "sessions/ram.$load.ashlar" "sessions/ram.$load.ashlar-one" iops)" least 0.9 0.95
    done
}

# judge_curve "WORKLOAD..." TARGET
judge_curve() {
    local load runs before=()
    for load in $1; do
        runs=sessions/ram.$load.$2
        workload "$load"
        [ ${#before[@]} = 0 ] ||
            judge "$TITLE, $(reactors_of "$2"): IOPS, times the best of fewer sessions" "$(least_ratio "$runs" "${before[@]}")" least 0.9 0.95
        before+=("$runs")
    done
}

# judge_sparse_curve "WORKLOAD..." TARGET
judge_sparse_curve() {
    local load runs bare=bare before=()
    [ "$2" != ashlar-one ] || bare="bare-one"
    for load in $1; do
        runs=sparse/ram.$load.$2
        workload "$load"
        if [ ${#before[@]} != 0 ]; then
            judge "$TITLE, $(reactors_of "$2"): IOPS, times the best of fewer sessions" "$(least_ratio "$runs" "${before[@]}")" least - 0.95
            judge "$TITLE, $(reactors_of "$2"): IOPS, times a target that only answers" "$(ratio "$runs" "sparse/ram.$load.$bare" iops)" least 0.7 0.9
        fi
        before+=("$runs")
    done
}

reactors_of() {
    case $1 in
    ashlar-one) echo "1 reactor" ;;
    *) echo "2 reactors" ;;
    esac
}

# waits RUNS: nothing if there are none.
waits() {
    [ ! -s "$OUT/$1.runs" ] || measure_waits "$OUT/$1.runs"
}

# least_ratio RUNS RUNS...: of its IOPS to each of the others.
least_ratio() {
    local runs=$1 other all=()
    shift
    for other in "$@"; do
        all+=("$(ratio "$runs" "$other" iops)")
    done
    printf '%s\n' "${all[@]}" | sort -g | head -n 1
}

# --- flushes ---

make_flush() {
    compared flush "$RAM" none --slow-sync 2 --targets "ashlar-threads tgt-rdwr tgt-aio loop" --beside "tgt-rdwr loop" \
        --workloads "4k-flush-1x1 4k-flush-8x1 4k-flush-32x1"
}

judge_flush() {
    local runs=flush/ram.4k-flush
    judge "4 KiB writes, each flushed, 2 ms a sync: 8 sessions, times 1" \
        "$(ratio "$runs-8x1.ashlar-threads" "$runs-1x1.ashlar-threads" iops)" least 5 -
    judge "4 KiB writes, each flushed, 2 ms a sync: 32 sessions, times 8" "$(ratio "$runs-32x1.ashlar-threads" "$runs-8x1.ashlar-threads" iops)" least - 1.01
}

# --- beside itself: on RAM, where no disk hides what a way costs ---

make_itself() {
    measured itself env -u RIG_TARGET TMPDIR="$RAM" "$HERE/itself" --rounds "$ROUNDS" --seconds "$MEASURE_S" --ramp "$MEASURE_RAMP_S" \
        --size "$SIZE" --chains "$CHAINS" --volumes "$VOLUMES" --keep "$OUT/itself"
}

judge_itself() {
    local load n
    for load in 4k-read-1x32 4k-write-1x32 128k-read-1x32; do
        workload "$load"
        judge "$TITLE, digests of headers and data: IOPS, times none" "$(ratio "itself/$load-on" "itself/$load-off" iops)" least 0.85 0.95
    done
    judge "first writes: IOPS, times overwrites" "$(ratio itself/first itself/again iops)" least 0.77 0.95
    judge "first writes after a snapshot: IOPS, times overwrites" "$(ratio itself/after itself/after-again iops)" least 0.77 0.95
    for n in $CHAINS; do
        judge "reads, $n snapshots: IOPS, times none" "$(ratio "itself/chain-$n" itself/chain-0 iops)" least 0.77 0.95
    done
    for load in 4k-read-1x32 4k-write-1x32; do
        for n in $VOLUMES; do
            workload "$load"
            judge "$TITLE, of one among $n volumes: IOPS, times one alone" \
                "$(ratio "itself/$load-$n" "itself/$load-1" iops)" least 0.9 0.95
            judge "$TITLE, of one among $n volumes: p99, times the mean wait" \
                "$([ ! -s "$OUT/itself/$load-$n.runs" ] || measure_waits "$OUT/itself/$load-$n.runs")" most 10 -
        done
    done
}

# --- idle ---

make_idle() {
    measured idle "$HERE/idle" --sessions 200 --seconds "$IDLE_S" --keep "$OUT/idle.jsonl"
}

judge_idle() {
    judge "200 idle sessions: % of a processor" "$(figure idle/ashlar cpu_percent)" most 0.5 -
    judge "200 idle sessions without keepalives: wake-ups a second" "$(figure idle/ashlar-silent wakeups_s)" most - 1
}
