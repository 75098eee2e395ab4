# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sessions of ashlar-ask (tests/protocol/ask.c), each under a name: one command at a time, and how it ended.
# Source it after rig.sh.

declare -A to from # each session's descriptors

# session NAME INITIATOR LUN: an ashlar-ask that goes on.
session() {
    local pid fd
    mkfifo "$RIG_DIR/$1.in" "$RIG_DIR/$1.out"
    "$(rig_bin ashlar-ask)" "$2" "$(rig_url "$3")" <"$RIG_DIR/$1.in" >"$RIG_DIR/$1.out" 2>>"$RIG_DIR/ask.log" &
    pid=$!
    cleanup_fn eval "kill $pid 2>/dev/null"
    exec {fd}>"$RIG_DIR/$1.in"
    to[$1]=$fd
    exec {fd}<"$RIG_DIR/$1.out"
    from[$1]=$fd
    rm "$RIG_DIR/$1.in" "$RIG_DIR/$1.out"
    hear "$1"
    [ "$answer" = ready ] || fail "no session $1: $answer"
    ask "$1" none 000000000000
    [[ $answer == 'sense 70'*2900* ]] || fail "a new session is told $answer, not the power on"
}

hear() {
    read -r -t 60 answer <&"${from[$1]}" || answer=lost
}

# ask NAME LINE...: `answer` is what comes of it.
ask() {
    echo "${@:2}" >&"${to[$1]}" || true
    hear "$1"
}

good() {
    ask "$@"
    [[ $answer == good* ]] || fail "$*: $answer"
}

# eventually WHAT COMMAND...: it comes true.
eventually() {
    for _ in $(seq 400); do
        ! "${@:2}" || return 0
        sleep 0.025
    done
    fail "$1"
}
