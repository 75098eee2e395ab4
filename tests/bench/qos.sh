#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Limits of I/O beside what sessions get that ask for all they can: of a volume and of a host, commands and bytes a
# second, bursts, and a change under load; for one session on one reactor and for two on two. The figure is the
# worst of all windows of 10 s (sliding by a second), or of a burst's own time, in parts of the limit. Prints rows of
# `claim | figure | bound | verdict`. What an unlimited volume does in the same run is shown beside it: the limits
# are to be far below.
# Usage: qos.sh [--seconds 11] [--judge]
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lib/rig.sh"
requires curl jq
requires_ashlar

SECONDS_EACH=11 JUDGE=0
while [ $# -gt 0 ]; do
    case $1 in
    --seconds) SECONDS_EACH=$2; shift ;;
    --judge) JUDGE=1 ;;
    *) fail "unknown: $1" ;;
    esac
    shift
done
WINDOW=$((SECONDS_EACH < 10 ? SECONDS_EACH : 10))

rig_init
PACED=$(rig_bin ashlar-paced) || exit 1
FAILED=0

# row CLAIM FIGURE BOUND CONDITION: the condition is awk's.
row() {
    local verdict=-
    if [ "$JUDGE" = 1 ] && [ -n "$4" ]; then
        verdict=PASS
        awk "BEGIN {exit !($4)}" || { verdict=FAIL; FAILED=1; }
    fi
    echo "| $1 | $2 | $3 | $verdict |"
}

# load SECONDS BYTES URL...: seconds and commands go to the file `seconds`. All sessions have a deep queue, the
# last a shallow one.
load() {
    local seconds=$1 bytes=$2
    shift 2
    timeout $((seconds + 30)) "$PACED" --seconds "$seconds" --bytes "$bytes" --depth 32 --last-depth 4 "$@" >"$RIG_DIR/seconds" ||
        fail "ashlar-paced"
}

# windows RATE FROM TO SECONDS: "LEAST MOST" of the windows of so many seconds in the seconds from FROM up to TO,
# in parts of RATE.
windows() {
    awk -v rate="$1" -v from="$2" -v to="$3" -v n="$4" '
        {of[$2] = $4}
        END {
            least = 1e9
            for (at = from; at + n <= to; at++) {
                sum = 0
                for (i = at; i < at + n; i++) sum += of[i]
                part = sum / n / rate
                if (part < least) least = part
                if (part > most) most = part
            }
            printf "%.3f %.3f\n", least, most
        }' "$RIG_DIR/seconds"
}

# judge CLAIM RATE FROM TO SECONDS
judge() {
    local least most
    read -r least most <<<"$(windows "$2" "$3" "$4" "$5")"
    row "$1" "$least to $most" "0.95 to 1.05" "$least >= 0.95 && $most <= 1.05"
}

change() {
    rig_ctl "$1" change "$2" "${@:3}" >/dev/null || fail "$1 change $2 ${*:3}"
}

# steady CLAIM COMMANDS_A_SECOND BYTES URL...: one limit, in force when it begins.
steady() {
    load "$SECONDS_EACH" "$3" "${@:4}"
    judge "$1" "$2" 0 "$SECONDS_EACH" "$WINDOW"
}

# with REACTORS: what one and what two have to show.
with() {
    local name="$1 reactor(s)" a b c share
    RIG_REACTORS=$1
    rig_start
    [ "$1" != 1 ] || { rig_volume v1 64MiB 1; rig_volume v2 64MiB 2; }
    a=$(rig_url 1) b=$(rig_url 1) c=$(rig_url 2)
    load 2 4096 "$a" "$b"
    row "unlimited, two sessions, 4 KiB, commands a second; $name" "$(awk '$2 == 1 {print $4}' "$RIG_DIR/seconds")" - ""

    change volume v1 --iops 1000
    steady "a volume's 1,000 commands a second, two sessions; $name" 1000 4096 "$a" "$b"
    share=$(awk '{all += $4; last += $NF} END {printf "%.3f", last / all}' "$RIG_DIR/seconds")
    row "of it a session with 4 commands at a time, beside one with 32; $name" "$share" "0.45 to 0.55" \
        "$share >= 0.45 && $share <= 0.55"
    change volume v1 --iops 100
    steady "a volume's 100 commands a second, two sessions; $name" 100 4096 "$a" "$b"
    change volume v1 --iops 0 --bytes-per-s 16MiB
    steady "a volume's 16 MiB a second, 64 KiB each, two sessions; $name" 256 65536 "$a" "$b"
    change volume v1 --bytes-per-s 0
    change host h1 --iops 4000
    steady "a host's 4,000 commands a second, two volumes; $name" 4000 4096 "$a" "$c"
    change host h1 --iops 0
    # A burst of 4 s, then the limit.
    change volume v1 --iops 500 --burst-iops 2000 --burst-s 4
    load $((5 + SECONDS_EACH)) 4096 "$a" "$b"
    judge "a burst of 4 s at 2,000; $name" 2000 0 4 4
    judge "the limit of 500 behind it; $name" 500 5 $((5 + SECONDS_EACH)) "$WINDOW"
    change volume v1 --iops 0
    rig_stop
}

with 1
with 2
exit "$FAILED"
