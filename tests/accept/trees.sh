# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For acceptance scripts that run Ashlar here, not on a bare machine: builds a tree by its preset and
# runs test scripts in it, their output kept in the scratch directory. Source it after lib.sh.

ACCEPT_PROGRAMS="ashlard ashlarctl ashlar-load ashlar-crash ashlar-badpdu ashlar-sequences ashlar-logins ashlar-keys
    ashlar-digests ashlar-tasks ashlar-chap ashlar-crowd ashlar-reinstate ashlar-replay ashlar-idle ashlar-limits
    ashlar-figures"
if [ -z "${ACCEPT_SCRATCH:-}" ]; then # run by hand, not by tests/accept/run
    ACCEPT_SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/ashlar-accept.XXXXXX")
    trap 'rm -rf "$ACCEPT_SCRATCH"' EXIT
fi
ACCEPT_LOG=$ACCEPT_SCRATCH/$ACCEPT_NAME.log

# accept_tree PRESET: builds it; what follows runs its programs.
accept_tree() {
    local launcher=()
    ! command -v ccache >/dev/null || launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache)
    # shellcheck disable=SC2086 # a list of words
    if ! { cmake --preset "$1" ${launcher[@]+"${launcher[@]}"} &&
        cmake --build --preset "$1" --target $ACCEPT_PROGRAMS; } >"$ACCEPT_LOG" 2>&1; then
        tail -n 30 "$ACCEPT_LOG" | sed 's/^/    /'
        result "the $1 tree builds" "no" "yes" 1
        accept_end
    fi
    export ASHLAR_BUILD=$PWD/build/$1
}

# accept_test CLAIM ENGINE SECONDS SCRIPT...: one test script with that I/O engine; its exit status is
# the verdict, its last line the figure. The whole output is in ACCEPT_LOG for whoever wants more.
accept_test() {
    local claim=$1 engine=$2 seconds=$3 rc=0 figure
    shift 3
    RIG_TARGET=ashlar RIG_ENGINE=$engine timeout --kill-after=10 "$seconds" bash "$@" >"$ACCEPT_LOG" 2>&1 || rc=$?
    [ "$rc" = 0 ] || tail -n 40 "$ACCEPT_LOG" | sed 's/^/    /'
    figure=$(tail -n 1 "$ACCEPT_LOG")
    result "$claim ($engine)" "exit $rc${figure:+, \"$figure\"}" "exit 0 in $seconds s" "$rc"
}

engines() {
    echo uring threads
}
