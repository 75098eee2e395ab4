#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cppcheck over the sources of a build tree. Usage: cppcheck.sh ROOT BUILD
#
# Off: system headers (it does not need them), unused functions (it sees no callers in tests), and
# three kinds that it gets wrong on our idioms (cleanup attribute, TAKE, byte arrays filled one by one);
# clang's analyzer, run by tidy.sh, and the sanitizers look for the same.
set -eu
root=$1
build=$2
mkdir -p "$build/cppcheck"
cd "$root"
exec cppcheck --quiet --error-exitcode=1 --std=c11 --language=c -j "$(nproc)" \
    --library=tests/lint/cppcheck.cfg \
    --cppcheck-build-dir="$build/cppcheck" --enable=warning,performance,portability \
    --inline-suppr --suppress=missingIncludeSystem --suppress=unusedFunction \
    --suppress=missingInclude \
    --suppress=uninitvar --suppress=memleak --suppress=resourceLeak -D__x86_64__ -D_GNU_SOURCE -I . \
    base proto db lunmgr target web
