/* SPDX-License-Identifier: Apache-2.0 */
/* A bit for each extent, in groups that exist while they have any. */
#include "lunmgr/extent_set.h"

#include <assert.h>

#define GROUP_EXTENTS 16384U /* 1 GiB */
#define GROUP_WORDS   (GROUP_EXTENTS / 64)

struct extent_group {
    uint32_t count;
    uint64_t bits[GROUP_WORDS];
};

struct extent_set {
    uint64_t count;
    size_t cursor; /* the group that is taken from next */
    size_t group_count;
    struct extent_group *groups[];
};

struct extent_set *extent_set_create(uint64_t extents)
{
    size_t count = (size_t)((extents + GROUP_EXTENTS - 1) / GROUP_EXTENTS);
    struct extent_set *set =
        calloc(1, sizeof(*set) + count * sizeof(struct extent_group *));
    if (set != NULL)
        set->group_count = count;
    return set;
}

void extent_set_destroy(struct extent_set *set)
{
    for (size_t i = 0; set != NULL && i < set->group_count; i++)
        free(set->groups[i]);
    free(set);
}

bool extent_set_add(struct extent_set *set, uint64_t extent)
{
    size_t at = (size_t)(extent / GROUP_EXTENTS);
    uint64_t i = extent % GROUP_EXTENTS;
    assert(at < set->group_count);
    if (set->groups[at] == NULL)
        set->groups[at] = calloc(1, sizeof(*set->groups[at]));
    struct extent_group *g = set->groups[at];
    if (g == NULL)
        return false;
    assert((g->bits[i / 64] >> i % 64 & 1) == 0);
    g->bits[i / 64] |= 1ULL << i % 64;
    g->count++;
    set->count++;
    return true;
}

/* It has one. */
static uint64_t group_first(const struct extent_group *g)
{
    uint64_t w = 0;
    while (g->bits[w] == 0)
        w++;
    return w * 64 + (uint64_t)__builtin_ctzll(g->bits[w]);
}

static uint64_t group_take(struct extent_group *g, uint64_t first, uint64_t max)
{
    uint64_t n = 0;
    for (uint64_t i = first; n < max && i < GROUP_EXTENTS; i++, n++) {
        if ((g->bits[i / 64] >> i % 64 & 1) == 0)
            break;
        g->bits[i / 64] &= ~(1ULL << i % 64);
    }
    g->count -= (uint32_t)n;
    return n;
}

uint64_t extent_set_take(struct extent_set *set, uint64_t max, uint64_t *first)
{
    if (set->count == 0)
        return 0;
    while (set->groups[set->cursor] == NULL)
        set->cursor = (set->cursor + 1) % set->group_count;
    struct extent_group *g = set->groups[set->cursor];
    uint64_t at = group_first(g);
    uint64_t n = group_take(g, at, max);
    *first = set->cursor * GROUP_EXTENTS + at;
    set->count -= n;
    if (g->count == 0) {
        free(g);
        set->groups[set->cursor] = NULL;
    }
    return n;
}
