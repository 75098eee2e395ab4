# SPDX-License-Identifier: Apache-2.0
# Linux 6.1 with open-iscsi 2.1.8 (Debian 12), iscsiadm: a discovery session.
request 43870000 000000f0 00023d00 00000000 00000000 00000000 00000001 00000000 00000000 00000000 00000000 00000000
InitiatorName=iqn.2026-01.example.host:golden
InitiatorAlias=(none)
SessionType=Discovery
HeaderDigest=None
DataDigest=None
DefaultTime2Wait=2
DefaultTime2Retain=0
IFMarker=No
OFMarker=No
ErrorRecoveryLevel=0
MaxRecvDataSegmentLength=32768
answer 0000 stage 1 to 3
# The first of the offered list that we have (6.2.1, 13.1).
HeaderDigest=None
DataDigest=None
# Of two the greater (13.15); ours is 2.
DefaultTime2Wait=2
# Of two the smaller (13.16); ours is 0.
DefaultTime2Retain=0
# Markers are obsolete: Reject, or No as here, but never NotUnderstood (13.25).
IFMarker=No
OFMarker=No
# Of two the smaller (13.20); ours is 0.
ErrorRecoveryLevel=0
# Declared, not negotiated (13.12).
MaxRecvDataSegmentLength=262144
