#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: docs/CONFORMANCE.md is what tests/conformance/document writes from expected.tsv.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
rc=0
made=$("$HERE/document") || rc=$?
[ "$rc" = 0 ] || { echo "$made"; exit "$rc"; }
if ! diff -u "$HERE/../../docs/CONFORMANCE.md" - <<<"$made"; then
    echo "FAIL: write it anew: tests/conformance/document >docs/CONFORMANCE.md" >&2
    exit 1
fi
echo "docs/CONFORMANCE.md is what expected.tsv says"
