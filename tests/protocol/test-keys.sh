#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: every key is answered as its clause says for legal and illegal values, in each stage and kind of
# session; a key that is offered again ends the login; what was agreed on is kept.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/raw.sh"
requires iscsi-ls iscsi-inq curl

raw_programs 100 keys -- "$@"
