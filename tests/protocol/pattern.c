/* SPDX-License-Identifier: Apache-2.0 */
/* Sector patterns of the test programs: see pattern.h.
 * The words after the name are a counter stepped from a hash of it, cheap enough that
 * filling and checking never bound a test. Host byte order: the same machine writes and
 * reads. Any thread. */
#include "tests/protocol/pattern.h"

#include <stdio.h>
#include <string.h>

#define MAGIC    UINT64_C(0x41534c4152703031)
#define WORD_GAP UINT64_C(0x9e3779b97f4a7c15)

struct head {
    uint64_t magic;
    uint64_t lba;
    uint32_t lun, owner;
    uint32_t generation, seed;
};

static uint64_t mix(uint64_t x)
{
    x ^= x >> 31;
    x *= UINT64_C(0x7fb5d329728ea185);
    x ^= x >> 27;
    x *= UINT64_C(0x81dadef4bc2dd44d);
    return x ^ (x >> 33);
}

static uint64_t first_word(const struct tag *t)
{
    uint64_t name = (uint64_t)t->generation << 32 | t->seed;
    return mix(mix(name) ^ t->lba ^ (uint64_t)t->lun << 48 ^ (uint64_t)t->owner << 56);
}

void pattern_fill(uint8_t *sector, size_t sector_bytes, const struct tag *tag)
{
    struct head h = {MAGIC, tag->lba, tag->lun, tag->owner, tag->generation, tag->seed};
    uint64_t word = first_word(tag);

    memcpy(sector, &h, sizeof(h));
    for (size_t at = sizeof(h); at < sector_bytes; at += sizeof(word)) {
        memcpy(sector + at, &word, sizeof(word));
        word += WORD_GAP;
    }
}

static bool all_zero(const uint8_t *sector, size_t sector_bytes)
{
    return sector[0] == 0 && memcmp(sector, sector + 1, sector_bytes - 1) == 0;
}

static bool words_match(const uint8_t *sector, size_t sector_bytes, uint64_t word)
{
    for (size_t at = sizeof(struct head); at < sector_bytes; at += sizeof(word)) {
        if (memcmp(sector + at, &word, sizeof(word)) != 0)
            return false;
        word += WORD_GAP;
    }
    return true;
}

static bool head_read(const uint8_t *sector, struct tag *tag)
{
    struct head h;

    memcpy(&h, sector, sizeof(h));
    *tag = (struct tag){h.lba, h.lun, h.owner, h.generation, h.seed};
    return h.magic == MAGIC;
}

enum content pattern_read(const uint8_t *sector, size_t sector_bytes, struct tag *tag)
{
    struct tag t;

    if (all_zero(sector, sector_bytes))
        return CONTENT_ZEROS;
    if (!head_read(sector, &t) || !words_match(sector, sector_bytes, first_word(&t)))
        return CONTENT_GARBAGE;
    *tag = t;
    return CONTENT_TAGGED;
}

bool pattern_equal(const struct tag *a, const struct tag *b)
{
    return a->lba == b->lba && a->lun == b->lun && a->owner == b->owner &&
           a->generation == b->generation && a->seed == b->seed;
}

void pattern_describe(const uint8_t *sector, size_t sector_bytes, char *text,
                      size_t text_bytes)
{
    struct tag t;

    if (all_zero(sector, sector_bytes)) {
        snprintf(text, text_bytes, "zeros");
        return;
    }
    if (!head_read(sector, &t)) {
        snprintf(text, text_bytes, "bytes of no test: %02x%02x%02x%02x %02x%02x%02x%02x",
                 sector[0], sector[1], sector[2], sector[3], sector[4], sector[5],
                 sector[6], sector[7]);
        return;
    }
    snprintf(text, text_bytes, "%sconnection %u generation %u seed %u of lun %u lba %llu",
             words_match(sector, sector_bytes, first_word(&t)) ? "" : "TORN ", t.owner,
             t.generation, t.seed, t.lun, (unsigned long long)t.lba);
}
