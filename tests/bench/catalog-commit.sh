#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs ashlar-catalog-commit in a scratch directory. Usage: catalog-commit.sh PROGRAM [OPTION...]
set -eu

dir=$(mktemp -d "${TMPDIR:-/tmp}/ashlar-commit-XXXXXX")
trap 'rm -rf "$dir"' EXIT
"$@" --dir "$dir" | tee "$dir/out"
grep -q '^rounds: ' "$dir/out"
grep -q '^management: ' "$dir/out"
