/* SPDX-License-Identifier: Apache-2.0 */
/* Writes parameter lists of EXTENDED COPY byte by byte from SPC-4, for tests: right ones,
 * which a test then spoils. It shares nothing with proto/ext_copy.c. */
#ifndef TESTS_COPY_LIST_H
#define TESTS_COPY_LIST_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct copy_list {
    uint8_t bytes[16384];
    uint32_t at;
    bool lid4;
};

static inline void copy_list_be(uint8_t *at, unsigned count, uint64_t value)
{
    for (unsigned i = 0; i < count; i++)
        at[i] = (uint8_t)(value >> 8 * (count - 1 - i));
}

/* usage: LIST ID USAGE. */
static inline void copy_list_begin(struct copy_list *l, uint8_t id, unsigned usage)
{
    memset(l, 0, sizeof(*l));
    l->bytes[0] = id;
    l->bytes[1] = (uint8_t)(usage << 3);
    l->at = 16;
}

static inline void copy_list_begin_lid4(struct copy_list *l, uint32_t id, unsigned usage,
                                        bool immed)
{
    memset(l, 0, sizeof(*l));
    l->lid4 = true;
    l->bytes[0] = 1;
    l->bytes[1] = (uint8_t)(usage << 3);
    l->bytes[3] = 0x20;
    l->bytes[15] = immed;
    l->bytes[16] = 0xff;
    copy_list_be(l->bytes + 20, 4, id);
    l->at = 48;
}

/* naa: 16 bytes. Units before segments. */
static inline void copy_list_unit(struct copy_list *l, const uint8_t *naa,
                                  uint32_t block_bytes)
{
    uint8_t *d = l->bytes + l->at;
    d[0] = 0xe4;
    d[4] = 0x01;
    d[5] = 0x03;
    d[7] = 16;
    memcpy(d + 8, naa, 16);
    copy_list_be(d + 29, 3, block_bytes);
    l->at += 32;
    uint8_t *length = l->bytes + (l->lid4 ? 42 : 2);
    copy_list_be(length, 2, (uint64_t)(length[0] << 8 | length[1]) + 32);
}

static inline uint8_t *copy_list_segment(struct copy_list *l, uint16_t from, uint16_t to,
                                         uint16_t blocks, uint64_t from_lba,
                                         uint64_t to_lba)
{
    uint8_t *d = l->bytes + l->at;
    d[0] = 0x02;
    d[3] = 0x18;
    copy_list_be(d + 4, 2, from);
    copy_list_be(d + 6, 2, to);
    copy_list_be(d + 10, 2, blocks);
    copy_list_be(d + 12, 8, from_lba);
    copy_list_be(d + 20, 8, to_lba);
    l->at += 28;
    uint8_t *length = l->bytes + (l->lid4 ? 44 : 10);
    copy_list_be(length, 2, (uint64_t)(length[0] << 8 | length[1]) + 28);
    return d;
}

#endif
