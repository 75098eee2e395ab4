#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: what the target sends has right digests, and a bit turned over anywhere in a PDU with digests is
# noticed: in a header the connection ends, data is rejected and its command fails.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/raw.sh"
requires iscsi-ls iscsi-inq curl

raw_programs 100 digests -- "$@"
