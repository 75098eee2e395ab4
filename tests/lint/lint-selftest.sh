#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every lint rule must be able to fail: each gets one bad file in a scratch tree and must name it; a
# good tree must pass every rule. Usage: lint-selftest.sh SCRATCH
set -u
lint=$(readlink -f "$(dirname "$0")/lint.sh")
scratch=${1:?usage: lint-selftest.sh SCRATCH}
failed=0
cases=0

c_line='/* SPDX-License-Identifier: Apache-2.0 */'
sh_line='# SPDX-License-Identifier: Apache-2.0'

put() { # put FILE TEXT
    mkdir -p "$scratch/$(dirname "$1")"
    printf '%s\n' "$2" >"$scratch/$1"
}

good_tree() {
    rm -rf "$scratch"
    mkdir -p "$scratch"
    cp "$(dirname "$lint")/../../.clang-format" "$scratch/"
    put base/a.c "$c_line
#include <stdio.h>
int a(void);
int a(void)
{
    return snprintf(NULL, 0, \"x\");
}"
    put db/a.c "$c_line
#include <sqlite3.h>"
    put web/a.c "$c_line
#include <event2/http.h>
#include <jansson.h>"
    put web/token.c "$c_line
#include <openssl/evp.h>"
    put web/cli/a.c "$c_line
#include <curl/curl.h>"
    put lunmgr/engine_uring.c "$c_line
#include <liburing.h>"
    put target/config.c "$c_line
#include <ini.h>"
    put target/main.c "$c_line
#include <stdlib.h>
int main(void)
{
    exit(0);
}"
    put tests/a.sh "#!/bin/sh
$sh_line
echo \"\$1\""
    put build/junk.c 'strcpy(a, b); /* a build tree is not ours to judge */'
}

# refused RULE FILE TEXT: with FILE holding TEXT, RULE must fail and name FILE.
refused() {
    good_tree
    put "$2" "$3"
    local out
    if out=$("$lint" "$1" "$scratch" 2>&1); then
        echo "not refused by $1: $2: $3"
        failed=1
    elif ! grep -q "$2" <<<"$out"; then
        echo "refused by $1 without naming $2: $3"
        echo "$out"
        failed=1
    fi
    cases=$((cases + 1))
}

good_tree
if ! out=$("$lint" all "$scratch" 2>&1); then
    echo "a good tree is refused:"
    echo "$out"
    failed=1
fi

refused spdx base/b.c 'int b;'
refused spdx tests/b.sh 'echo b'
refused spdx docs/B.md '# B'
refused spdx quickstart '#!/bin/sh'
refused spdx db/migrations/001_b.sql 'CREATE TABLE b (c);'

for call in strcpy strcat sprintf vsprintf gets strtok atoi atol atof atoll alloca; do
    refused calls proto/b.c "$c_line
    $call (x);"
done
for call in exit _exit _Exit quick_exit abort; do
    refused calls lunmgr/b.c "$c_line
    $call(1);"
done
refused calls target/other/main.c "$c_line
    exit(1);"

refused names proto/b.c "$c_line
int iscsi_decode(void);"
refused names target/b.h "$c_line
struct scsi_task;"

refused doors lunmgr/b.c "$c_line
#include <sqlite3.h>"
refused doors target/b.c "$c_line
int rc = sqlite3_step(s);"
refused doors target/b.c "$c_line
#include <event2/http.h>"
refused doors lunmgr/b.c "$c_line
evhttp_new(base);"
refused doors target/b.c "$c_line
json_t *j;"
refused doors lunmgr/engine.c "$c_line
#include <liburing.h>"
refused doors target/reactor.c "$c_line
io_uring_submit(&ring);"
refused doors web/http.c "$c_line
#include <openssl/ssl.h>"
refused doors web/http.c "$c_line
curl_easy_init();"
refused doors target/b.c "$c_line
#include <iscsi/iscsi.h>"
refused doors target/main.c "$c_line
#include <ini.h>"

todo='TO''DO'
refused marks base/b.c "$c_line
/* $todo: later */"
refused marks docs/B.md "<<<<<<< ours"

refused shell tests/b.sh "#!/bin/sh
$sh_line
rm -rf \$1/x"
refused format base/b.c "$c_line
int   b ;"
# The misspelt word is put together here so that it is not found in this file.
refused spelling docs/B.md "we re""cieve it"

put_nothing() {
    rm -rf "$scratch"
    mkdir -p "$scratch"
}
put_nothing
if "$lint" all "$scratch" >/dev/null 2>&1; then
    echo "an empty tree passes"
    failed=1
fi
rm -rf "$scratch"
[ $failed = 0 ] && echo "lint-selftest: $cases bad files refused"
exit "$failed"
