/* SPDX-License-Identifier: Apache-2.0 */
/* Standard INQUIRY data: SPC-4, 6.4.2. Pure; any thread. */
#include "proto/inquiry.h"

#define TYPE_DISK       0x00
#define TYPE_NO_UNIT    0x7f /* qualifier 3, type 1Fh */
#define VERSION_SPC4    0x06
#define RESPONSE_FORMAT 0x12 /* HISUP, format 2 */
#define TPGS_IMPLICIT   0x10 /* asymmetric access, which no initiator sets */
#define MULTIP          0x10 /* several ports */
#define THIRD_PARTY     0x08 /* 3PC */
#define CMDQUE          0x02
#define STANDARD_SAM5   0x00a0
#define STANDARD_SPC4   0x0460
#define STANDARD_SBC3   0x04c0
#define STANDARD_ISCSI  0x0960
#define DESCRIPTORS_AT  58

void inquiry_encode(const struct lu_ident *lu, struct wire *out)
{
    wire_put_u8(out, lu == NULL ? TYPE_NO_UNIT : TYPE_DISK);
    wire_put_u8(out, 0);
    wire_put_u8(out, VERSION_SPC4);
    wire_put_u8(out, RESPONSE_FORMAT);
    wire_put_u8(out, INQUIRY_STANDARD_BYTES - 5);
    wire_put_u8(out, lu == NULL ? 0 : TPGS_IMPLICIT | THIRD_PARTY);
    wire_put_u8(out, lu != NULL && lu->port_count > 1 ? MULTIP : 0);
    wire_put_u8(out, CMDQUE);
    wire_put_padded(out, LU_VENDOR, 8);
    wire_put_padded(out, LU_PRODUCT, 16);
    wire_put_padded(out, lu == NULL ? "" : lu->revision, 4);
    wire_put_zeros(out, DESCRIPTORS_AT - 36);
    wire_put_be16(out, STANDARD_SAM5);
    wire_put_be16(out, STANDARD_ISCSI);
    wire_put_be16(out, STANDARD_SPC4);
    wire_put_be16(out, STANDARD_SBC3);
    wire_put_zeros(out, INQUIRY_STANDARD_BYTES - (DESCRIPTORS_AT + 8));
}
