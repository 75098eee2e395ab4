#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Claim: PDUs that no initiator should send, and numbers and data out of their order, are answered as RFC 7143
# says, or their connection is closed, while a bystander's session is served all the time and new ones can
# log in afterwards.
set -euo pipefail
. "$(dirname "$0")/../lib/rig.sh"
. "$(dirname "$0")/raw.sh"
requires iscsi-ls iscsi-inq curl

raw_programs 100 badpdu sequences -- "$@"
