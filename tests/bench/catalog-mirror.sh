#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a mirror costs a commit of the catalog: ashlar-catalog-commit without and with one, in turn, both copies on the
# same file system. Usage: catalog-mirror.sh PROGRAM [--rounds N] [OPTION...]
set -eu
program=$1
shift
rounds=3
if [ "${1:-}" = --rounds ]; then
    rounds=$2
    shift 2
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/ashlar-mirror-XXXXXX")
trap 'rm -rf "$dir"' EXIT
for _ in $(seq "$rounds"); do
    for mirror in without with; do
        rm -rf "$dir/state" "$dir/mirror"
        mkdir "$dir/state" "$dir/mirror"
        options=()
        [ "$mirror" = without ] || options=(--mirror "$dir/mirror")
        "$program" --dir "$dir/state" ${options[@]+"${options[@]}"} "$@" >"$dir/out" 2>"$dir/log" ||
            { cat "$dir/log"; exit 1; }
        sed "s/^/$mirror: /" "$dir/out"
    done
done
