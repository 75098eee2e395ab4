/* SPDX-License-Identifier: Apache-2.0 */
/* The CDBs of peer.h. */
#include "tests/protocol/peer.h"

#include <string.h>

static void put_be(uint8_t *to, size_t bytes, uint64_t value)
{
    for (size_t i = bytes; i-- > 0; value >>= 8)
        to[i] = (uint8_t)value;
}

/* READ and WRITE share their layout; `opcode6` is the 6-byte command's code. */
static void cmd_rw(struct peer_cmd *c, uint8_t opcode6, int kind, uint64_t lba,
                   uint32_t blocks, bool fua)
{
    uint8_t *b = c->cdb;

    memset(b, 0, sizeof(c->cdb));
    c->cdb_bytes = kind;
    b[0] = opcode6;
    if (kind == 6) {
        put_be(b + 1, 3, lba & 0x1fffff);
        b[4] = (uint8_t)blocks; /* 0 means 256 */
        return;
    }
    b[0] |= kind == 10 ? 0x20 : kind == 12 ? 0xa0 : 0x80;
    b[1] = fua ? 0x08 : 0;
    put_be(b + 2, kind == 16 ? 8 : 4, lba);
    if (kind == 10)
        put_be(b + 7, 2, blocks);
    else
        put_be(b + (kind == 12 ? 6 : 10), 4, blocks);
}

void cmd_read(struct peer_cmd *c, int cdb_kind, uint64_t lba, uint32_t blocks)
{
    c->writes = false;
    cmd_rw(c, 0x08, cdb_kind, lba, blocks, false);
}

void cmd_write(struct peer_cmd *c, int cdb_kind, uint64_t lba, uint32_t blocks, bool fua)
{
    c->writes = true;
    cmd_rw(c, 0x0a, cdb_kind, lba, blocks, fua);
}

void cmd_compare_write(struct peer_cmd *c, uint64_t lba, uint8_t blocks, bool fua)
{
    memset(c->cdb, 0, sizeof(c->cdb));
    c->cdb_bytes = 16;
    c->cdb[0] = 0x89;
    c->cdb[1] = fua ? 0x08 : 0;
    put_be(c->cdb + 2, 8, lba);
    c->cdb[13] = blocks;
    c->writes = true;
}

void cmd_flush(struct peer_cmd *c, int cdb_kind)
{
    memset(c->cdb, 0, sizeof(c->cdb));
    c->cdb_bytes = cdb_kind;
    c->cdb[0] = cdb_kind == 16 ? 0x91 : 0x35;
    c->data_bytes = 0;
    c->writes = false;
}

void cmd_write_zeros(struct peer_cmd *c, uint64_t lba, uint32_t blocks, bool unmap)
{
    memset(c->cdb, 0, sizeof(c->cdb));
    c->cdb_bytes = 16;
    c->cdb[0] = 0x93;
    c->cdb[1] = unmap ? 0x08 : 0;
    put_be(c->cdb + 2, 8, lba);
    put_be(c->cdb + 10, 4, blocks);
    c->writes = true;
}

void cmd_unmap(struct peer_cmd *c, const struct extent_range *ranges, size_t n)
{
    c->data_bytes = 8 + 16 * n;
    memset(c->cdb, 0, sizeof(c->cdb));
    memset(c->data, 0, c->data_bytes);
    c->cdb_bytes = 10;
    c->cdb[0] = 0x42;
    put_be(c->cdb + 7, 2, c->data_bytes);
    put_be(c->data, 2, c->data_bytes - 2);
    put_be(c->data + 2, 2, 16 * n);
    for (size_t i = 0; i < n; i++) {
        put_be(c->data + 8 + 16 * i, 8, ranges[i].lba);
        put_be(c->data + 16 + 16 * i, 4, ranges[i].blocks);
    }
    c->writes = true;
}
