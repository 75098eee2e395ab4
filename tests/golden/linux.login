# SPDX-License-Identifier: Apache-2.0
# Linux 6.1 with open-iscsi 2.1.8 (Debian 12), as installed: a normal session.
request 43870000 000001bb 00023d00 00010000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
InitiatorName=iqn.2026-01.example.host:golden
InitiatorAlias=(none)
TargetName=iqn.2026-01.example.ashlar:golden
SessionType=Normal
HeaderDigest=None
DataDigest=None
DefaultTime2Wait=2
DefaultTime2Retain=0
IFMarker=No
OFMarker=No
ErrorRecoveryLevel=0
InitialR2T=No
ImmediateData=Yes
MaxBurstLength=16776192
FirstBurstLength=262144
MaxOutstandingR2T=1
MaxConnections=1
DataPDUInOrder=Yes
DataSequenceInOrder=Yes
MaxRecvDataSegmentLength=262144
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
# Yes if either side says so; ours is No (13.10).
InitialR2T=No
# Yes if both say so; ours is Yes (13.11).
ImmediateData=Yes
# Of two numbers the smaller (13.13, 13.14); ours are 1048576 and 262144.
MaxBurstLength=1048576
FirstBurstLength=262144
# Of two the smaller (13.17); ours is 16.
MaxOutstandingR2T=1
# Of two the smaller (13.2); ours is 1.
MaxConnections=1
# Yes if either side says so (13.18, 13.19); ours is Yes.
DataPDUInOrder=Yes
DataSequenceInOrder=Yes
# Must be in the first answer to the leading connection of a normal session (13.9).
TargetPortalGroupTag=1
# Declared, not negotiated (13.12).
MaxRecvDataSegmentLength=262144
