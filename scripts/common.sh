# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What quickstart, check and the acceptance scripts share: plain lines, long steps that show that
# they live, free ports. Source it.

# One plain line a step, on standard output.
say() {
    printf '%s\n' "$*"
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this needs root: run it as root or install sudo"
    fi
}

# The last line that a command wrote, cut to fit one line of a terminal.
last_line_of() {
    tr '\r' '\n' <"$1" | tail -n 1 | tr -cd '[:print:]' | cut -c1-60
}

# step NAME LOG COMMAND...: runs the command with its output in LOG. Says that it began, how far it
# is (in place on a terminal, else a line every 20 s), and how long it took; on failure, the log's end.
step() {
    local name=$1 log=$2 start=$SECONDS pid rc=0 shown=0 now
    shift 2
    mkdir -p "$(dirname "$log")"
    printf '%s ...\n' "$name"
    # A process group of its own, so that step_end() ends all that the command started.
    set -m
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    set +m
    STEP_PID=$pid
    while kill -0 $pid 2>/dev/null; do
        sleep 0.2
        now=$((SECONDS - start))
        if [ -t 1 ]; then
            printf '\r\033[K  %d s  %s' $now "$(last_line_of "$log")"
        elif [ $((now - shown)) -ge 20 ]; then
            shown=$now
            printf '  %d s  %s\n' $now "$(last_line_of "$log")"
        fi
    done
    [ ! -t 1 ] || printf '\r\033[K'
    wait $pid || rc=$?
    STEP_PID=
    if [ $rc != 0 ]; then
        printf '%s failed (%d s); the end of %s:\n' "$name" $((SECONDS - start)) "$log"
        tail -n 40 "$log" | sed 's/^/    /'
        return $rc
    fi
    printf '  done in %d s\n' $((SECONDS - start))
}

# For the exit trap: ends the step that an interrupt left running, all of it.
step_end() {
    [ -n "${STEP_PID:-}" ] || return 0
    kill -TERM -- "-$STEP_PID" 2>/dev/null
    for _ in $(seq 80); do
        kill -0 -- "-$STEP_PID" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL -- "-$STEP_PID" 2>/dev/null
}

port_is_free() {
    ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# free_port WANTED: the wanted port of the loopback, or the next free one of a few above it.
free_port() {
    local port
    for port in "$1" $(seq $(($1 + 10000)) $(($1 + 10050))); do
        if port_is_free "$port"; then
            echo "$port"
            return 0
        fi
    done
    return 1
}
