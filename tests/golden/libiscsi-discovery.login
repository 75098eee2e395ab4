# SPDX-License-Identifier: Apache-2.0
# libiscsi 1.19.0 (Debian 12), iscsi-ls: a discovery session.
request 43870000 00000179 80248827 00000000 5f37caba 00000000 5abc108e 00000001 00000000 00000000 00000000 00000000
InitiatorName=iqn.2026-01.example.host:golden
SessionType=Discovery
HeaderDigest=None
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
# What has no meaning in a discovery session is Irrelevant (6.2; "Irrelevant when: SessionType=Discovery").
InitialR2T=Irrelevant
ImmediateData=Irrelevant
MaxBurstLength=Irrelevant
FirstBurstLength=Irrelevant
# Of two the greater (13.15); ours is 2.
DefaultTime2Wait=2
# Of two the smaller (13.16); ours is 0.
DefaultTime2Retain=0
MaxOutstandingR2T=Irrelevant
# Of two the smaller (13.20); ours is 0.
ErrorRecoveryLevel=0
# Markers are obsolete: Reject, or No as here, but never NotUnderstood (13.25).
IFMarker=No
OFMarker=No
MaxConnections=Irrelevant
DataPDUInOrder=Irrelevant
DataSequenceInOrder=Irrelevant
# Declared, not negotiated (13.12).
MaxRecvDataSegmentLength=262144
