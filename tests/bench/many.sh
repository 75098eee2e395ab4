# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Many volumes at once: source it after rig.sh.

# many_volumes FIRST LAST: empty ones of 1 GiB, m0001 and on, over one connection.
many_volumes() {
    local wrong
    awk -v first="$1" -v last="$2" -v socket="$RIG_DIR/api.sock" 'BEGIN {
        for (i = first; i <= last; i++) {
            if (i > first) print "next"
            print "url = http://localhost/v1/volumes"
            print "header = \"Content-Type: application/json\""
            print "output = /dev/null"
            print "write-out = \"%{http_code}\\n\""
            printf "data = \"{\\\"name\\\": \\\"m%05d\\\", \\\"pool\\\": \\\"p\\\", \\\"size\\\": 1073741824}\"\n", i
            print "silent"
            print "unix-socket = \"" socket "\""
        }}' >"$RIG_DIR/many"
    curl -K "$RIG_DIR/many" >"$RIG_DIR/made" || fail "curl: $?"
    wrong=$(grep -vc '^201$' "$RIG_DIR/made" || true)
    [ "$wrong" = 0 ] || fail "$wrong of the volumes were not made: $(sort "$RIG_DIR/made" | uniq -c)"
}
