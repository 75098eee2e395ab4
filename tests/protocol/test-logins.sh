#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: every way through a login that RFC 7143 has is open, every other one is refused with the right status,
# and sessions end as they were asked to.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/raw.sh"
requires iscsi-ls iscsi-inq curl

raw_programs 100 logins -- "$@"
