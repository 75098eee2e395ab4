/* SPDX-License-Identifier: Apache-2.0 */
/* VPD page 8Fh, Third-party Copy: SPC-4, 7.8.17. A list of descriptors, each with its
 * type and the length of what follows, whole words. The commands are those of the table
 * of CDBs. Pure; any thread. */
#include "proto/ext_copy.h"
#include "proto/inquiry.h"
#include "proto/rod.h"

#define ROD_TOKEN_LIMITS      0x0000
#define SUPPORTED_COMMANDS    0x0001
#define PARAMETER_DATA        0x0004
#define SUPPORTED_DESCRIPTORS 0x0008
#define SUPPORTED_CSCD_IDS    0x000c
#define ROD_TOKEN_FEATURES    0x0106
#define SUPPORTED_ROD_TYPES   0x0108
#define GENERAL_OPERATIONS    0x8001

#define OPCODE_COPY_OUT 0x83
#define OPCODE_COPY_IN  0x84

typedef void (*descriptor_fn)(const struct lu_ident *lu, struct wire *out);

/* An opcode with its service actions. */
static void put_commands_of(uint8_t opcode, struct wire *out)
{
    wire_put_u8(out, opcode);
    wire_put_u8(out, 0);
    size_t begin = out->at;
    for (size_t i = 0; i < CDB_ID_COUNT; i++)
        if (cdb_ops[i].opcode == opcode)
            wire_put_u8(out, cdb_ops[i].service_action);
    wire_patch_u8(out, begin - 1, (uint8_t)(out->at - begin));
}

static void put_commands(const struct lu_ident *lu, struct wire *out)
{
    (void)lu;
    wire_put_u8(out, 0);
    size_t begin = out->at;
    put_commands_of(OPCODE_COPY_OUT, out);
    put_commands_of(OPCODE_COPY_IN, out);
    wire_patch_u8(out, begin - 1, (uint8_t)(out->at - begin));
}

static void put_parameters(const struct lu_ident *lu, struct wire *out)
{
    (void)lu;
    wire_put_zeros(out, 4);
    wire_put_be16(out, EXT_COPY_CSCDS_MAX);
    wire_put_be16(out, EXT_COPY_SEGMENTS_MAX);
    wire_put_be32(out, EXT_COPY_LIST_BYTES_MAX);
    wire_put_be32(out, 0); /* inline data: none */
    wire_put_zeros(out, 12);
}

static void put_descriptor_types(const struct lu_ident *lu, struct wire *out)
{
    (void)lu;
    wire_put_u8(out, 2);
    wire_put_u8(out, EXT_COPY_SEGMENT_TYPE);
    wire_put_u8(out, EXT_COPY_CSCD_TYPE);
}

static void put_cscd_ids(const struct lu_ident *lu, struct wire *out)
{
    (void)lu;
    wire_put_be16(out, 2);
    wire_put_be16(out, EXT_COPY_CSCD_SELF);
}

static void put_operations(const struct lu_ident *lu, struct wire *out)
{
    wire_put_be32(out, EXT_COPY_CONCURRENT_MAX);
    wire_put_be32(out, EXT_COPY_CONCURRENT_MAX); /* with an identifier */
    wire_put_be32(out, EXT_COPY_SEGMENT_DATA_MAX);
    wire_put_u8(out, (uint8_t)__builtin_ctz(lu->block_bytes)); /* data granularity */
    wire_put_u8(out, 0);
    wire_put_zeros(out, 18);
}

static const struct {
    uint16_t type;
    descriptor_fn put;
} descriptors[] = {
    {ROD_TOKEN_LIMITS, rod_put_limits},   {SUPPORTED_COMMANDS, put_commands},
    {PARAMETER_DATA, put_parameters},     {SUPPORTED_DESCRIPTORS, put_descriptor_types},
    {SUPPORTED_CSCD_IDS, put_cscd_ids},   {ROD_TOKEN_FEATURES, rod_put_features},
    {SUPPORTED_ROD_TYPES, rod_put_types}, {GENERAL_OPERATIONS, put_operations},
};

void vpd_put_third_party(const struct lu_ident *lu, struct wire *out)
{
    for (size_t i = 0; i < ARRAY_LEN(descriptors); i++) {
        wire_put_be16(out, descriptors[i].type);
        wire_put_be16(out, 0);
        size_t begin = out->at;
        descriptors[i].put(lu, out);
        wire_put_zeros(out, (4 - (out->at - begin) % 4) % 4);
        wire_patch_be16(out, begin - 2, (uint16_t)(out->at - begin));
    }
}
