# SPDX-License-Identifier: Apache-2.0
# iPXE 1.0.0+git-20190125 (Debian 12), the ROM of a virtio card: a normal session, the security stage first.
request 43810000 0000007e 40002723 da560000 18ae0001 00000000 00000000 00000001 00000000 00000000 00000000 00000000
InitiatorName=iqn.2026-01.example.host:golden
TargetName=iqn.2026-01.example.ashlar:golden
SessionType=Normal
AuthMethod=None
answer 0000 stage 0 to 1
AuthMethod=None
# Must be in the first answer to the leading connection of a normal session (13.9).
TargetPortalGroupTag=1
request 43870000 0000011a 40002723 da560000 18ae0001 00000000 00000000 00000002 00000000 00000000 00000000 00000000
HeaderDigest=None
DataDigest=None
MaxConnections=1
InitialR2T=Yes
ImmediateData=No
MaxRecvDataSegmentLength=8192
MaxBurstLength=262144
FirstBurstLength=65536
DefaultTime2Wait=0
DefaultTime2Retain=0
MaxOutstandingR2T=1
DataPDUInOrder=Yes
DataSequenceInOrder=Yes
ErrorRecoveryLevel=0
answer 0000 stage 1 to 3
# The first of the offered list that we have (6.2.1, 13.1).
HeaderDigest=None
DataDigest=None
# Of two the smaller (13.2); ours is 1.
MaxConnections=1
# Yes if either side says so; ours is No (13.10).
InitialR2T=Yes
# Yes if both say so; ours is Yes (13.11).
ImmediateData=No
# Of two numbers the smaller (13.13, 13.14); ours are 1048576 and 262144.
MaxBurstLength=262144
FirstBurstLength=65536
# Of two the greater (13.15); ours is 2.
DefaultTime2Wait=2
# Of two the smaller (13.16); ours is 0.
DefaultTime2Retain=0
# Of two the smaller (13.17); ours is 16.
MaxOutstandingR2T=1
# Yes if either side says so (13.18, 13.19); ours is Yes.
DataPDUInOrder=Yes
DataSequenceInOrder=Yes
# Of two the smaller (13.20); ours is 0.
ErrorRecoveryLevel=0
# Declared, not negotiated (13.12).
MaxRecvDataSegmentLength=262144
