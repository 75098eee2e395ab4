#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The house rules that a grep can check. Usage: lint.sh RULE [ROOT]; RULE `all` runs each in turn.
#
# Each rule prints what it found as file:line:text and fails if it found anything.
# lint-selftest.sh feeds every rule something that it must refuse.
set -u

RULES="spdx calls names doors marks shell format spelling"

usage() {
    echo "usage: lint.sh RULE [ROOT]; rules: $RULES all" >&2
    exit 2
}

# Prints the tree's files that match the find expression, without build trees and caches.
files() {
    find . \( -name .git -o -name node_modules -o -name .cache -o -path ./var \
        -o -path './build' -o -path './build-*' \) -prune -o -type f \( "$@" \) -print |
        sed 's,^\./,,' | sort
}

sources() { files -name '*.[ch]' | grep -E "^($1)/"; }

# Greps an extended pattern in the files named on standard input; a hit is a finding.
refuse() {
    local pattern=$1 why=$2 hits
    hits=$(xargs -r grep -nHE -e "$pattern" --)
    [ -z "$hits" ] && return 0
    echo "$hits"
    echo "    ^ $why"
    return 1
}

rule_spdx() {
    local bad
    bad=$(files -name '*.[ch]' -o -name '*.sh' -o -name '*.cmake' -o -name CMakeLists.txt \
        -o -name '*.py' -o -name '*.sql' -o -name '*.yaml' -o -name '*.yml' -o -name '*.md' \
        -o -name '*.service' -o -name '*.example' -o -name '*.html' -o -name '*.css' \
        -o -name '*.js' -o -name '*.ts' -o -path ./quickstart -o -path ./check \
        -o -path ./.ci/run -o -path './.clang-*' -o -path './tests/accept/*' ! -name '*.patch' \
        -o -path ./tests/conformance/run -o -path ./tests/conformance/document -o -name '*.tsv' \
        -o -path './tests/bench/*' ! -name '*.*' |
        xargs -r awk '
            BEGIN {for (i = 1; i < ARGC; i++) without[ARGV[i]]}
            FNR > 3 {nextfile}
            /SPDX-License-Identifier: Apache-2\.0/ {delete without[FILENAME]}
            END {for (f in without) print f ":1: no SPDX line in the first three lines"}' | sort)
    [ -z "$bad" ] && return 0
    echo "$bad"
    return 1
}

# Calls without a bound or without a way to report failure; and who may end the process.
rule_calls() {
    local bad=0
    sources 'base|proto|db|lunmgr|target|web|tests' | refuse \
        '(^|[^[:alnum:]_>.])(strcpy|strcat|sprintf|vsprintf|gets|strtok|ato[ifl]|atoll|alloca)[[:space:]]*\(' \
        'has no bound or hides a failure' || bad=1
    sources 'base|proto|db|lunmgr|target|web' | grep -vE '^((target|web/cli)/main|base/log)\.c$' | refuse \
        '(^|[^[:alnum:]_>.])(_?exit|_Exit|quick_exit|abort)[[:space:]]*\(' \
        'only main and log_fatal end the process' || bad=1
    return "$bad"
}

# libiscsi exports 283 symbols that begin with these, and is linked into our programs.
rule_names() {
    sources 'base|proto|db|lunmgr|target|web' | grep -v '^target/import\.c$' | refuse \
        '\b(iscsi|scsi)_[a-z0-9_]+[[:space:]]*\(|\b(struct|enum|union)[[:space:]]+(iscsi|scsi)_' \
        'names that begin with iscsi_ or scsi_ are libiscsi'"'"'s'
}

# door PATTERN ALLOWED WHAT: outside the paths that match ALLOWED, PATTERN is refused.
door() {
    sources 'base|proto|db|lunmgr|target|web' | grep -vE "^($2)" |
        refuse "$1" "$3 has one door: $2"
}

# Each outside library is used in one place.
rule_doors() {
    local bad=0 include='#[[:space:]]*include[[:space:]]*[<"]'
    door '\bsqlite3_|\bstruct sqlite3|\bSQLITE_|sqlite3(ext)?\.h' 'db/' SQLite || bad=1
    door '\bevhttp_|event2/http|event2/bufferevent_ssl' 'web/' "libevent's HTTP" || bad=1
    door '\bjson_[a-z0-9_]+[[:space:]]*\(|\bjson_t\b|jansson\.h' 'web/' jansson || bad=1
    door '\bio_uring_[a-z0-9_]+[[:space:]]*\(|struct io_uring|liburing|linux/io_uring\.h' \
        'lunmgr/engine_uring\.c$|target/sock_uring\.c$' io_uring || bad=1
    door "${include}openssl/" \
        'base/digest\.c$|target/chap\.c$|web/(tls|tls_link|certificate|token|auth_in)\.c$' OpenSSL || bad=1
    door "${include}curl/|\\bcurl_[a-z0-9_]+[[:space:]]*\\(" 'web/cli/|web/webhook\.c$' libcurl || bad=1
    door "${include}iscsi/" 'target/import\.c$' libiscsi || bad=1
    door "${include}ini\\.h" 'target/config\.c$' inih || bad=1
    return "$bad"
}

# What must not be left behind in a tree that others read.
rule_marks() {
    files -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name '*.cmake' -o -name '*.md' \
        -o -name CMakeLists.txt -o -path ./quickstart -o -path ./check |
        grep -v '^tests/lint/' | refuse '\b(TODO|FIXME|XXX|HACK)\b|^(<<<<<<<|>>>>>>>) ' \
        'finish it or say it in an issue'
}

rule_shell() {
    files -name '*.sh' -o -path ./quickstart -o -path ./check -o -path ./.ci/run \
        -o -path './tests/accept/*' ! -name '*.patch' -o -path ./tests/conformance/run \
        -o -path ./tests/conformance/document \
        -o -path './tests/bench/*' ! -name '*.*' | xargs -r shellcheck -x -S info -e SC1091,SC2015,SC2016,SC2034,SC2119,SC2120,SC2317
}

rule_format() {
    files -name '*.[ch]' | xargs -r clang-format --dry-run -Werror
}

rule_spelling() {
    files -name '*.[ch]' -o -name '*.md' -o -name '*.sh' -o -name '*.cmake' -o -name '*.yaml' \
        -o -name '*.txt' -o -name '*.sql' -o -path ./quickstart -o -path ./check |
        xargs -r codespell -I "$(dirname "$SELF")/words.txt"
}

SELF=$(readlink -f "$0")
[ $# -ge 1 ] || usage
rule=$1
cd "${2:-$(dirname "$SELF")/../..}" || exit 2
[ "$rule" = all ] || case " $RULES " in
*" $rule "*) RULES=$rule ;;
*) usage ;;
esac
[ -n "$(files -name '*.c')" ] || { echo "lint: no source file under $PWD" >&2; exit 2; }
failed=0
for rule in $RULES; do
    "rule_$rule" || { echo "lint: $rule: refused"; failed=1; }
done
exit "$failed"
