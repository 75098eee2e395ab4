# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the tests whose claim is a program on raw PDUs: source it after rig.sh.

# raw_programs SECONDS NAME... [-- CASE]: a daemon with one volume, and what raw_more makes if the test has such a
# function; each program against it, and at the end somebody can still log in.
raw_programs() {
    local seconds=$1 programs=() name
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        programs+=("$1")
        shift
    done
    [ $# = 0 ] || shift
    rig_init
    rig_start
    rig_volume v 64MiB 1
    ! declare -F raw_more >/dev/null || raw_more
    for name in "${programs[@]}"; do
        timeout "$seconds" "$(rig_bin "ashlar-$name")" 127.0.0.1 "$RIG_PORT" "$RIG_NAME" "$RIG_IQN" 1 "$@" ||
            fail "$name"
    done
    timeout 20 iscsi-inq -i "$RIG_IQN" "$(rig_url 1)" >/dev/null || fail "no session afterwards"
    rig_alive || fail "the daemon died"
}
