# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by crash tests after rig.sh: asks a running, idle daemon whether its pool's figures agree with
# its map: no extent named twice or named and free (at once), none leaked (as soon as the daemon has
# looked for what a crash leaked), and used + free space are what the map says. tgt has neither.

EXTENT_BYTES=65536
AGREE_SECONDS=20

pool_agrees() {
    local when=$1 check pool
    [ "$RIG_TARGET" = ashlar ] || return 0
    for _ in $(seq $((AGREE_SECONDS * 10))); do
        check=$(rig_check) || fail "$when: check: $check"
        jq -e '.double_extents == 0 and .lost_extents == 0' <<<"$check" >/dev/null ||
            fail "$when: the map contradicts itself: $check"
        if jq -e '.leaked_extents == 0' <<<"$check" >/dev/null; then
            break
        fi
        sleep 0.1
    done
    jq -e '.leaked_extents == 0 and .named_extents == .used_extents' <<<"$check" >/dev/null ||
        fail "$when: space is still leaked after $AGREE_SECONDS s: $check"
    pool=$(rig_api GET /v1/pools/p) || fail "$when: GET /v1/pools/p: $pool"
    jq -e --argjson check "$check" --argjson extent "$EXTENT_BYTES" \
        '.used == $check.used_extents * $extent and .used + .free == .size' <<<"$pool" >/dev/null ||
        fail "$when: the pool's figures are not the map's: $pool $check"
}
