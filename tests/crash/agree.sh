# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by crash tests after rig.sh: asks a running daemon whether its pool's figures agree with
# its map: no extent named twice or named and free (at once), none leaked, and used + free space what the
# map says (as soon as the daemon has looked for what a crash leaked, and merges and drops under way have
# ended). tgt has neither.

EXTENT_BYTES=65536
AGREE_SECONDS=20

pool_agrees() {
    local when=$1 check pool wrong=
    [ "$RIG_TARGET" = ashlar ] || return 0
    for _ in $(seq $((AGREE_SECONDS * 10))); do
        check=$(rig_check) || fail "$when: check: $check"
        jq -e '.double_extents == 0 and .lost_extents == 0' <<<"$check" >/dev/null ||
            fail "$when: the map contradicts itself: $check"
        pool=$(rig_api GET /v1/pools/p) || fail "$when: GET /v1/pools/p: $pool"
        wrong=$(pool_disagrees "$check" "$pool")
        [ -n "$wrong" ] || return 0
        sleep 0.1
    done
    fail "$when, after $AGREE_SECONDS s: $wrong: $pool $check"
}

# pool_disagrees CHECK POOL: tells how, or nothing.
pool_disagrees() {
    jq -e '.leaked_extents == 0 and .named_extents == .used_extents' <<<"$1" >/dev/null || {
        echo "space is still leaked"
        return
    }
    jq -e --argjson check "$1" --argjson extent "$EXTENT_BYTES" \
        '.used == $check.used_extents * $extent and .used + .free == .size' <<<"$2" >/dev/null ||
        echo "the pool's figures are not the map's"
}
