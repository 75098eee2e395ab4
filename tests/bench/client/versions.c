/* SPDX-License-Identifier: Apache-2.0 */
/* A generation for each place, and whether a command is under way there. Each sector
 * carries its own name (tests/protocol/pattern.h). */
#include "tests/bench/client/versions.h"

#include "tests/protocol/pattern.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct version {
    uint32_t generation : 31; /* 0: not written yet */
    uint32_t taken : 1;
};

struct versions {
    uint64_t first;
    uint32_t sectors, sector_bytes, owner, seed;
    struct version of[];
};

struct versions *versions_create(const struct places *places, uint32_t sectors,
                                 uint32_t sector_bytes, uint32_t owner, uint32_t seed)
{
    struct versions *v = calloc(1, sizeof(*v) + places->count * sizeof(v->of[0]));
    if (v == NULL)
        return NULL;
    v->first = places->first;
    v->sectors = sectors;
    v->sector_bytes = sector_bytes;
    v->owner = owner;
    v->seed = seed;
    return v;
}

void versions_free(struct versions *v)
{
    free(v);
}

bool versions_take(struct versions *v, uint64_t nth)
{
    bool was = v->of[nth].taken;
    v->of[nth].taken = 1;
    return !was;
}

void versions_give(struct versions *v, uint64_t nth)
{
    v->of[nth].taken = 0;
}

static struct tag tag_of(const struct versions *v, uint64_t nth, uint32_t sector)
{
    return (struct tag){.lba = (v->first + nth) * v->sectors + sector,
                        .owner = v->owner,
                        .generation = v->of[nth].generation,
                        .seed = v->seed};
}

void versions_fill(struct versions *v, uint64_t nth, uint8_t *data)
{
    v->of[nth].generation++;
    for (uint32_t i = 0; i < v->sectors; i++) {
        struct tag tag = tag_of(v, nth, i);
        pattern_fill(data + (size_t)i * v->sector_bytes, v->sector_bytes, &tag);
    }
}

bool versions_hold(const struct versions *v, uint64_t nth, const uint8_t *data,
                   char *text, size_t text_bytes)
{
    for (uint32_t i = 0; v->of[nth].generation != 0 && i < v->sectors; i++) {
        const uint8_t *sector = data + (size_t)i * v->sector_bytes;
        struct tag found, wanted = tag_of(v, nth, i);
        if (pattern_read(sector, v->sector_bytes, &found) == CONTENT_TAGGED &&
            pattern_equal(&found, &wanted))
            continue;
        char what[160];
        pattern_describe(sector, v->sector_bytes, what, sizeof(what));
        snprintf(text, text_bytes,
                 "lba %" PRIu64 ", generation %u is wanted, there is %s", wanted.lba,
                 (unsigned)wanted.generation, what);
        return false;
    }
    return true;
}
