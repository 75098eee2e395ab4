# SPDX-License-Identifier: Apache-2.0
# libiscsi 1.19.0 (Debian 12), iscsi-inq: a normal session, straight into the operational stage.
request 43870000 000001aa 805096e3 00000000 3c43ebd3 00000000 7b3eaa9b 00000001 00000000 00000000 00000000 00000000
InitiatorName=iqn.2026-01.example.host:golden
TargetName=iqn.2026-01.example.ashlar:golden
SessionType=Normal
HeaderDigest=None,CRC32C
DataDigest=None
InitialR2T=No
ImmediateData=Yes
MaxBurstLength=262144
FirstBurstLength=262144
DefaultTime2Wait=2
DefaultTime2Retain=0
MaxOutstandingR2T=1
ErrorRecoveryLevel=0
IFMarker=No
OFMarker=No
MaxConnections=1
MaxRecvDataSegmentLength=262144
DataPDUInOrder=Yes
DataSequenceInOrder=Yes
answer 0000 stage 1 to 3
# The first of the offered list that we have (6.2.1, 13.1).
HeaderDigest=None
DataDigest=None
# Yes if either side says so; ours is No (13.10).
InitialR2T=No
# Yes if both say so; ours is Yes (13.11).
ImmediateData=Yes
# Of two numbers the smaller (13.13, 13.14); ours are 1048576 and 262144.
MaxBurstLength=262144
FirstBurstLength=262144
# Of two the greater (13.15); ours is 2.
DefaultTime2Wait=2
# Of two the smaller (13.16); ours is 0.
DefaultTime2Retain=0
# Of two the smaller (13.17); ours is 16.
MaxOutstandingR2T=1
# Of two the smaller (13.20); ours is 0.
ErrorRecoveryLevel=0
# Markers are obsolete: Reject, or No as here, but never NotUnderstood (13.25).
IFMarker=No
OFMarker=No
# Of two the smaller (13.2); ours is 1.
MaxConnections=1
# Yes if either side says so (13.18, 13.19); ours is Yes.
DataPDUInOrder=Yes
DataSequenceInOrder=Yes
# Must be in the first answer to the leading connection of a normal session (13.9).
TargetPortalGroupTag=1
# Declared, not negotiated (13.12).
MaxRecvDataSegmentLength=262144
