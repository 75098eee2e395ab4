#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: commands run in the order of their task attributes, every task management function is answered
# in every state of a task and does to other sessions what it should and no more, the functions of
# RFC 7144 are there for who negotiated them, and the command window holds under stress.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/raw.sh"
requires iscsi-ls iscsi-inq curl
requires_ashlar

raw_more() {
    RIG_VOLUME_FLAGS=(--bytes-per-s 64KiB)
    rig_volume limited 64MiB 2
}
raw_programs 100 tasks -- "$@"
