/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers by size class. A free buffer holds the link of its class's list in
 * its first bytes. With ASHLAR_MALLOC_BUFFERS nothing is kept and no size is rounded up
 * beyond the alignment. One thread a pool. */
#include "lunmgr/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define CLASS_COUNT 13 /* 4 KiB, 8 KiB, ... 16 MiB */
static_assert((size_t)BUF_ALIGN << (CLASS_COUNT - 1) == BUF_BYTES_MAX, "last class");

struct free_buf {
    struct free_buf *next;
};

/* The free buffers of one size. */
struct kept {
    struct free_buf *first;
    size_t count;
    size_t unwanted; /* the fewest there were since the last trim */
};

struct withheld {
    struct withheld *next;
    struct buf buf;
};

struct buf_pool {
    size_t kept_bytes_max;
    size_t kept_bytes;
    size_t out_bytes;
    struct kept kept[CLASS_COUNT];
    struct buf_loan *loans; /* seldom any */
    struct withheld *withheld;
};

struct buf_pool *buf_pool_create(size_t kept_bytes_max)
{
    struct buf_pool *pool = calloc(1, sizeof(*pool));
    if (pool == NULL)
        return NULL;
    pool->kept_bytes_max = kept_bytes_max;
    return pool;
}

#ifdef ASHLAR_MALLOC_BUFFERS
static size_t capacity_of(size_t bytes)
{
    return (bytes + BUF_ALIGN - 1) / BUF_ALIGN * BUF_ALIGN;
}

static uint8_t *kept_take(struct buf_pool *pool, size_t capacity_bytes)
{
    (void)pool;
    (void)capacity_bytes;
    return NULL;
}

static bool kept_give(struct buf_pool *pool, const struct buf *b)
{
    (void)pool;
    (void)b;
    return false;
}
#else
static unsigned class_of(size_t bytes)
{
    unsigned size_class = 0;
    while (((size_t)BUF_ALIGN << size_class) < bytes)
        size_class++;
    return size_class;
}

static size_t capacity_of(size_t bytes)
{
    return (size_t)BUF_ALIGN << class_of(bytes);
}

static uint8_t *kept_take(struct buf_pool *pool, size_t capacity_bytes)
{
    struct kept *kept = &pool->kept[class_of(capacity_bytes)];
    struct free_buf *taken = kept->first;
    if (taken == NULL)
        return NULL;
    kept->first = taken->next;
    kept->count--;
    if (kept->count < kept->unwanted)
        kept->unwanted = kept->count;
    pool->kept_bytes -= capacity_bytes;
    return (uint8_t *)taken;
}

static bool kept_give(struct buf_pool *pool, const struct buf *b)
{
    if (b->capacity_bytes > pool->kept_bytes_max - pool->kept_bytes)
        return false;
    struct kept *kept = &pool->kept[class_of(b->capacity_bytes)];
    struct free_buf *given = (struct free_buf *)(void *)b->base;
    given->next = kept->first;
    kept->first = given;
    kept->count++;
    pool->kept_bytes += b->capacity_bytes;
    return true;
}
#endif

int buf_get(struct buf_pool *pool, size_t bytes, struct buf *out)
{
    assert(bytes >= 1 && bytes <= BUF_BYTES_MAX);
    size_t capacity_bytes = capacity_of(bytes);
    uint8_t *base = kept_take(pool, capacity_bytes);
    if (base == NULL)
        base = aligned_alloc(BUF_ALIGN, capacity_bytes);
    if (base == NULL)
        return -ENOMEM;
    pool->out_bytes += capacity_bytes;
    *out = (struct buf){.base = base, .capacity_bytes = capacity_bytes};
    return 0;
}

static bool is_lent(const struct buf_pool *pool, const struct buf *b)
{
    for (const struct buf_loan *l = pool->loans; l != NULL; l = l->next) {
        if (l->first < b->base + b->capacity_bytes && b->base < l->end)
            return true;
    }
    return false;
}

/* Without memory for the note of it, it is lost. */
static void withhold(struct buf_pool *pool, const struct buf *b)
{
    struct withheld *w = malloc(sizeof(*w));
    if (w == NULL)
        return;
    *w = (struct withheld){.next = pool->withheld, .buf = *b};
    pool->withheld = w;
}

static void give_back(struct buf_pool *pool, const struct buf *b)
{
    if (!kept_give(pool, b))
        free(b->base);
}

void buf_put(struct buf_pool *pool, struct buf *b)
{
    if (b->base == NULL)
        return;
    assert(b->capacity_bytes <= pool->out_bytes);
    pool->out_bytes -= b->capacity_bytes;
    if (is_lent(pool, b))
        withhold(pool, b);
    else
        give_back(pool, b);
    *b = (struct buf){0};
}

void buf_lend(struct buf_pool *pool, struct buf_loan *loan)
{
    loan->next = pool->loans;
    pool->loans = loan;
}

void buf_unlend(struct buf_pool *pool, struct buf_loan *loan)
{
    struct buf_loan **link = &pool->loans;
    while (*link != loan)
        link = &(*link)->next;
    *link = loan->next;
    struct withheld **at = &pool->withheld;
    while (*at != NULL) {
        struct withheld *w = *at;
        if (is_lent(pool, &w->buf)) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        give_back(pool, &w->buf);
        free(w);
    }
}

size_t buf_pool_out_bytes(const struct buf_pool *pool)
{
    return pool->out_bytes;
}

size_t buf_pool_kept_bytes(const struct buf_pool *pool)
{
    return pool->kept_bytes;
}

static void kept_free(struct buf_pool *pool, unsigned size_class, size_t count)
{
    struct kept *kept = &pool->kept[size_class];
    for (; count > 0; count--) {
        struct free_buf *gone = kept->first;
        kept->first = gone->next;
        kept->count--;
        pool->kept_bytes -= (size_t)BUF_ALIGN << size_class;
        free(gone);
    }
}

void buf_pool_trim(struct buf_pool *pool, size_t bytes)
{
    for (unsigned i = CLASS_COUNT; i-- > 0;) {
        struct kept *kept = &pool->kept[i];
        size_t excess = pool->kept_bytes > bytes ? pool->kept_bytes - bytes : 0;
        size_t each = (size_t)BUF_ALIGN << i;
        size_t most = (excess + each - 1) / each;
        kept_free(pool, i, kept->unwanted < most ? kept->unwanted : most);
        kept->unwanted = kept->count;
    }
}

void buf_pool_destroy(struct buf_pool *pool)
{
    if (pool == NULL)
        return;
    assert(pool->out_bytes == 0);
    while (pool->withheld != NULL) {
        struct withheld *w = pool->withheld;
        pool->withheld = w->next;
        free(w);
    }
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        kept_free(pool, i, pool->kept[i].count);
    free(pool);
}
