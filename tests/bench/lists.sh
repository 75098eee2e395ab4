#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How long a page of each list takes, in its own order, filtered and sorted, over a running daemon with many
# volumes, and how long others wait meanwhile. Prints the worst beside the bound; with --judge rows of
# `claim | figure | bound | verdict`, and exit 1 if one fails: on a quiet machine only.
# Usage: lists.sh [--volumes 10000] [--rounds 10] [--judge]
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lib/rig.sh"
requires python3
requires_ashlar

rig_init
rig_start
python3 "$HERE/lists.py" --socket "$RIG_DIR/api.sock" --pool-file "$RIG_DIR/lists.img" "$@"
