/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that stand for data, and the commands that make and use them: POPULATE TOKEN and
 * WRITE USING TOKEN (SBC-4, 5.12 and 5.59), RECEIVE ROD TOKEN INFORMATION and REPORT ALL
 * ROD TOKENS (SPC-5; SBC-4, 5.25). What a token stands for is the target's. Decodes
 * return 0, or -EINVAL with *sense filled in. Pure; any thread. */
#ifndef PROTO_ROD_H
#define PROTO_ROD_H

#include "base/wire.h"
#include "proto/cdb.h"
#include "proto/lu_ident.h"

#include <stdbool.h>
#include <stdint.h>

#define ROD_TOKEN_BYTES        512
#define ROD_TOKEN_SECRET_BYTES 256 /* SPC-5 wants 32 of them at least */
#define ROD_MANAGEMENT_BYTES   96  /* the part that REPORT ALL ROD TOKENS tells */
#define ROD_LIST_BYTES_MAX     (2 + UINT16_MAX) /* as a 16-bit data length says it */

/* What VPD page 8Fh tells of tokens. */
#define ROD_TOKEN_RANGES_MAX    64
#define ROD_TOKEN_DATA_MAX      (256U << 20) /* bytes of one, and of one command */
#define ROD_TOKEN_DATA_OPTIMAL  (64U << 20)
#define ROD_TOKEN_DATA_GRAIN    (64U << 10)
#define ROD_TOKEN_TIMEOUT_S     60 /* the default */
#define ROD_TOKEN_TIMEOUT_MAX_S 300

/* The types that a token of ours has or is asked for. */
#define ROD_TYPE_POINT_IN_TIME 0x00800000u /* "default" */
#define ROD_TYPE_ZERO          0xffff0001u /* the well-known token of zeros */

/* ---- CDBs ---------------------------------------------------------------------------
 */

/* POPULATE TOKEN, WRITE USING TOKEN. */
struct cdb_rod_list {
    uint32_t list_id;
    uint32_t list_bytes; /* 0: nothing is to be done; at most ROD_LIST_BYTES_MAX */
};
int cdb_rod_list_decode(const uint8_t *cdb, const struct cdb_op *op,
                        struct cdb_rod_list *list, struct sense *sense) MUST_CHECK;

/* RECEIVE ROD TOKEN INFORMATION; REPORT ALL ROD TOKENS, which has no list_id. */
struct cdb_rod_ask {
    uint32_t list_id;
    uint32_t alloc_bytes;
};
void cdb_rod_ask_decode(const uint8_t *cdb, struct cdb_rod_ask *ask);

/* ---- Parameter lists ----------------------------------------------------------------
 */

/* Of the unit that the command is sent to. */
struct rod_limits {
    uint64_t capacity_blocks;
    uint8_t block_shift;
};

/* Block device range descriptors: SBC-4, 5.12.3. They do not overlap, and lie inside the
 * capacity. */
struct rod_ranges {
    const uint8_t *at; /* inside the data */
    unsigned count;
    uint64_t blocks; /* of all together; may be 0 */
};
struct rod_range {
    uint64_t lba;
    uint32_t blocks; /* may be 0 */
};
struct rod_range rod_range_get(const struct rod_ranges *ranges, unsigned index);

struct populate_list {
    bool immed;
    uint32_t timeout_s; /* 0: the default */
    struct rod_ranges ranges;
};
/* data: the list as received, all of list_bytes. A ROD type that is asked for is ours. */
int populate_list_decode(struct populate_list *list, const uint8_t *data,
                         size_t list_bytes, const struct rod_limits *limits,
                         struct sense *sense) MUST_CHECK;

struct write_token_list {
    bool immed, deletes;
    uint64_t offset_blocks; /* of the unit that is written, into what the token shows */
    const uint8_t *token;   /* inside the data; its length field is right */
    struct rod_ranges ranges;
};
int write_token_list_decode(struct write_token_list *list, const uint8_t *data,
                            size_t list_bytes, const struct rod_limits *limits,
                            struct sense *sense) MUST_CHECK;

/* ---- The token: SPC-5, ROD token format ---------------------------------------------
 */

/* All that is in one: two with the same values are the same 512 bytes. */
struct rod_token {
    uint64_t id;             /* no other token of the box has it */
    uint8_t creator_naa[16]; /* of the unit that it was made by */
    uint8_t device_naa[16];  /* of the box */
    uint64_t bytes;          /* that it stands for */
    uint32_t block_bytes;    /* of that unit */
    uint8_t physical_exponent;
    const uint8_t *secret; /* ROD_TOKEN_SECRET_BYTES that nobody can guess */
};
void rod_token_encode(const struct rod_token *token, uint8_t out[ROD_TOKEN_BYTES]);
/* What a token says of itself, before anything of it is believed. */
uint32_t rod_token_type(const uint8_t *token);
uint64_t rod_token_id(const uint8_t *token);
/* In a time that does not depend on where they differ. */
bool rod_token_equal(const uint8_t *a, const uint8_t *b);

/* ---- REPORT ALL ROD TOKENS ----------------------------------------------------------
 */

#define ROD_REPORT_HEADER_BYTES 8
/* Then come the first ROD_MANAGEMENT_BYTES of each. */
void rod_report_header_encode(uint32_t count, struct wire *out);

/* ---- Third-party copy descriptors of VPD page 8Fh, without type and length ----------
 */

/* 0000h, Block Device ROD Token Limits: SBC-4, 6.6.9.3. */
void rod_put_limits(const struct lu_ident *lu, struct wire *out);
/* 0106h, ROD Token Features. */
void rod_put_features(const struct lu_ident *lu, struct wire *out);
/* 0108h, Supported ROD Types. */
void rod_put_types(const struct lu_ident *lu, struct wire *out);

#endif
