/* SPDX-License-Identifier: Apache-2.0 */
/* Histories of sectors, one mutex for all. */
#include "tests/lib/oracle.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOREVER      UINT64_MAX
#define SECTOR_WORDS (ORACLE_SECTOR / 8)
#define MIX          0x9e3779b97f4a7c15ULL

struct change {
    uint64_t id;  /* of the write, or of the copy */
    uint64_t tag; /* what it leaves */
    uint64_t start, end;
    bool zeros, optional, durable;
};

struct history {
    struct change *changes;
    uint32_t count, capacity;
};

struct atomic_write {
    uint64_t tag, first, count;
};

struct oracle_world {
    pthread_mutex_t lock;
    uint64_t clock;
    uint64_t next_tag;
};

struct oracle {
    struct oracle_world *world;
    bool owns_world;
    uint64_t flushed;
    uint64_t sector_count;
    struct image *base;
    struct history **chunks; /* of IMAGE_CHUNK_SECTORS; NULL: no change yet */
    struct atomic_write *atomics;
    size_t atomic_count;
    char offence[256];
};

struct oracle_world *oracle_world_create(void)
{
    struct oracle_world *world = calloc(1, sizeof(*world));
    assert(world != NULL);
    pthread_mutex_init(&world->lock, NULL);
    world->clock = 2;
    world->next_tag = 1;
    return world;
}

void oracle_world_destroy(struct oracle_world *world)
{
    if (world == NULL)
        return;
    pthread_mutex_destroy(&world->lock);
    free(world);
}

static void lock(struct oracle *o)
{
    pthread_mutex_lock(&o->world->lock);
}

static void unlock(struct oracle *o)
{
    pthread_mutex_unlock(&o->world->lock);
}

static uint64_t chunk_count(uint64_t sectors)
{
    return (sectors + IMAGE_CHUNK_SECTORS - 1) / IMAGE_CHUNK_SECTORS;
}

struct oracle *oracle_create_in(struct oracle_world *world, uint64_t bytes,
                                struct image *base)
{
    struct oracle *o = calloc(1, sizeof(*o));
    assert(o != NULL);
    o->world = world;
    oracle_rebase(o, bytes, base);
    return o;
}

struct oracle *oracle_create(uint64_t bytes)
{
    struct oracle *o = oracle_create_in(oracle_world_create(), bytes, NULL);
    o->owns_world = true;
    return o;
}

static void forget_chunk(struct oracle *o, uint64_t chunk)
{
    struct history *h = o->chunks[chunk];
    for (uint64_t s = 0; h != NULL && s < IMAGE_CHUNK_SECTORS; s++)
        free(h[s].changes);
    free(h);
    o->chunks[chunk] = NULL;
}

void oracle_destroy(struct oracle *o)
{
    if (o == NULL)
        return;
    for (uint64_t c = 0; c < chunk_count(o->sector_count); c++)
        forget_chunk(o, c);
    free(o->chunks);
    free(o->atomics);
    image_put(o->base);
    if (o->owns_world)
        oracle_world_destroy(o->world);
    free(o);
}

void oracle_rebase(struct oracle *o, uint64_t bytes, struct image *base)
{
    lock(o);
    for (uint64_t c = 0; c < chunk_count(o->sector_count); c++)
        forget_chunk(o, c);
    free(o->chunks);
    image_put(o->base);
    o->base = base == NULL ? NULL : image_get(base);
    o->sector_count = bytes / ORACLE_SECTOR;
    o->chunks = calloc((size_t)chunk_count(o->sector_count), sizeof(struct history *));
    assert(o->chunks != NULL);
    o->atomic_count = 0;
    o->flushed = o->world->clock++;
    unlock(o);
}

/* What lay beyond the new end is gone, also if it grows again. */
static void cut_tail(struct oracle *o, uint64_t sectors)
{
    struct image *base = NULL;
    if (o->base != NULL) {
        base = image_create(sectors);
        for (uint64_t s = 0; s < sectors; s++)
            if (image_tag(o->base, s) != 0)
                image_set(base, s, image_tag(o->base, s));
        image_put(o->base);
        o->base = base;
    }
    struct history *last = o->chunks[sectors / IMAGE_CHUNK_SECTORS];
    for (uint64_t s = sectors % IMAGE_CHUNK_SECTORS;
         last != NULL && s < IMAGE_CHUNK_SECTORS; s++)
        last[s].count = 0;
}

void oracle_resize(struct oracle *o, uint64_t bytes)
{
    lock(o);
    uint64_t sectors = bytes / ORACLE_SECTOR;
    if (sectors < o->sector_count)
        cut_tail(o, sectors);
    uint64_t old_count = chunk_count(o->sector_count), count = chunk_count(sectors);
    for (uint64_t c = count; c < old_count; c++)
        forget_chunk(o, c);
    assert(count > 0);
    o->chunks = realloc(o->chunks, (size_t)count * sizeof(struct history *));
    assert(o->chunks != NULL);
    for (uint64_t c = old_count; c < count; c++)
        o->chunks[c] = NULL;
    o->sector_count = sectors;
    unlock(o);
}

uint64_t oracle_bytes(const struct oracle *o)
{
    return o->sector_count * ORACLE_SECTOR;
}

bool oracle_knows_chunk(struct oracle *o, uint64_t chunk)
{
    lock(o);
    bool known = o->chunks[chunk] != NULL || image_chunk(o->base, chunk) != NULL;
    unlock(o);
    return known;
}

/* Under the lock. */
static struct history *history_of(struct oracle *o, uint64_t sector)
{
    struct history **chunk = &o->chunks[sector / IMAGE_CHUNK_SECTORS];
    if (*chunk == NULL) {
        *chunk = calloc(IMAGE_CHUNK_SECTORS, sizeof(**chunk));
        assert(*chunk != NULL);
    }
    return &(*chunk)[sector % IMAGE_CHUNK_SECTORS];
}

static const struct history *history_look(const struct oracle *o, uint64_t sector)
{
    static const struct history none;
    const struct history *chunk = o->chunks[sector / IMAGE_CHUNK_SECTORS];
    return chunk == NULL ? &none : &chunk[sector % IMAGE_CHUNK_SECTORS];
}

/* ---- Changes ------------------------------------------------------------------------
 */

static void history_add(struct history *h, const struct change *c)
{
    if (h->count == h->capacity) {
        h->capacity = h->capacity == 0 ? 4 : h->capacity * 2;
        h->changes = realloc(h->changes, h->capacity * sizeof(h->changes[0]));
        assert(h->changes != NULL);
    }
    h->changes[h->count++] = *c;
}

uint64_t oracle_begin(struct oracle *o, uint64_t first, uint64_t count, bool zeros,
                      bool optional)
{
    lock(o);
    assert(first <= o->sector_count && count <= o->sector_count - first);
    struct change c = {.id = o->world->next_tag++,
                       .start = o->world->clock++,
                       .end = FOREVER,
                       .zeros = zeros,
                       .optional = optional};
    c.tag = c.id;
    for (uint64_t s = first; s < first + count; s++)
        history_add(history_of(o, s), &c);
    unlock(o);
    return c.id;
}

uint64_t oracle_begin_copy(struct oracle *o, uint64_t first, uint64_t count,
                           const struct image *from)
{
    lock(o);
    assert(first <= o->sector_count && count <= o->sector_count - first);
    struct change c = {
        .id = o->world->next_tag++, .start = o->world->clock++, .end = FOREVER};
    for (uint64_t s = first; s < first + count; s++) {
        c.tag = image_tag(from, s);
        c.zeros = c.tag == 0;
        history_add(history_of(o, s), &c);
    }
    unlock(o);
    return c.id;
}

void oracle_atomic(struct oracle *o, uint64_t tag, uint64_t first, uint64_t count)
{
    lock(o);
    o->atomics = realloc(o->atomics, (o->atomic_count + 1) * sizeof(o->atomics[0]));
    assert(o->atomics != NULL);
    o->atomics[o->atomic_count++] = (struct atomic_write){tag, first, count};
    unlock(o);
}

static void history_remove(struct history *h, uint32_t i)
{
    h->count--;
    memmove(&h->changes[i], &h->changes[i + 1], (h->count - i) * sizeof(h->changes[0]));
}

static void change_end(struct change *c, uint64_t now, enum oracle_outcome outcome)
{
    c->durable = outcome == ORACLE_DURABLE;
    if (outcome == ORACLE_FAILED)
        c->optional = true;
    else
        c->end = now;
}

void oracle_end(struct oracle *o, uint64_t id, uint64_t first, uint64_t count,
                enum oracle_outcome outcome)
{
    lock(o);
    uint64_t now = o->world->clock++;
    for (uint64_t s = first; s < first + count; s++) {
        struct history *h = history_of(o, s);
        uint32_t i = h->count;
        do {
            assert(i > 0);
            i--;
        } while (h->changes[i].id != id);
        if (outcome == ORACLE_NOTHING)
            history_remove(h, i);
        else
            change_end(&h->changes[i], now, outcome);
    }
    unlock(o);
}

/* The w-th word of a sector that carries tag. */
static uint64_t pattern(uint64_t tag, uint64_t sector, uint64_t w)
{
    if (tag == 0 || w == 0)
        return tag;
    return (tag ^ (sector << 32)) * MIX + w;
}

void oracle_fill(uint8_t *data, uint64_t tag, uint64_t first, uint64_t count)
{
    for (uint64_t s = first; s < first + count; s++, data += ORACLE_SECTOR) {
        uint64_t words[SECTOR_WORDS];
        for (uint64_t w = 0; w < SECTOR_WORDS; w++)
            words[w] = pattern(tag, s, w);
        memcpy(data, words, sizeof(words));
    }
}

uint64_t oracle_tag(const uint8_t *data, uint64_t sector)
{
    uint8_t want[ORACLE_SECTOR] = {0};
    uint64_t tag;
    memcpy(&tag, data, sizeof(tag));
    if (tag != 0)
        oracle_fill(want, tag, sector, 1);
    return memcmp(want, data, ORACLE_SECTOR) == 0 ? tag : UINT64_MAX;
}

/* ---- Checks -------------------------------------------------------------------------
 */

uint64_t oracle_now(struct oracle *o)
{
    lock(o);
    uint64_t now = o->world->clock++;
    unlock(o);
    return now;
}

/* When a reader looks: what it surely sees, what it may see. */
struct view {
    uint64_t ended;   /* changes that ended before have taken place */
    uint64_t durable; /* those that are durable also, if they ended before this */
    uint64_t last;    /* changes that began later have not */
    bool torn;        /* a sector may be of several, where one changes meanwhile */
};

/* Was what ended at `end` surely replaced? */
static bool is_replaced(const struct history *h, uint64_t end, const struct view *v)
{
    for (uint32_t i = 0; i < h->count; i++) {
        const struct change *u = &h->changes[i];
        bool in_place = u->end < v->ended || (u->durable && u->end < v->durable);
        if (!u->optional && u->start > end && in_place && u->start <= v->last)
            return true;
    }
    return false;
}

/* May a sector with this history, first as `base` says, show that tag? */
static bool may_show(const struct history *h, uint64_t base, uint64_t tag,
                     const struct view *v)
{
    if (tag == base && !is_replaced(h, 1, v))
        return true; /* as it was made */
    for (uint32_t i = h->count; i-- > 0;) {
        const struct change *c = &h->changes[i];
        uint64_t shows = c->zeros ? 0 : c->tag;
        if (shows == tag && c->start <= v->last && !is_replaced(h, c->end, v))
            return true;
    }
    return false;
}

/* A file's data may be read while it is written: each word is of some change that may
 * show. */
static bool may_be_torn(const struct history *h, uint64_t base, const uint8_t *data,
                        uint64_t sector, const struct view *v)
{
    bool changes = false;
    for (uint32_t i = 0; i < h->count; i++)
        changes |= h->changes[i].start <= v->last && h->changes[i].end >= v->ended;
    for (uint64_t w = 0; changes && w < SECTOR_WORDS; w++) {
        uint64_t word;
        memcpy(&word, data + w * sizeof(word), sizeof(word));
        bool known = (word == 0 && may_show(h, base, 0, v)) ||
                     (word == pattern(base, sector, w) && may_show(h, base, base, v));
        for (uint32_t i = h->count; !known && i-- > 0;)
            known = word == pattern(h->changes[i].tag, sector, w) &&
                    may_show(h, base, h->changes[i].tag, v);
        if (!known)
            return false;
    }
    return changes;
}

/* ---- Atomic writes ------------------------------------------------------------------
 */

/* What a reader has: of data, or of an image. */
struct reading {
    const uint8_t *data; /* NULL: image */
    const struct image *image;
    uint64_t first, end;
};

static uint64_t reading_tag(const struct reading *r, uint64_t sector)
{
    return r->data == NULL
               ? image_tag(r->image, sector)
               : oracle_tag(r->data + (sector - r->first) * ORACLE_SECTOR, sector);
}

static const struct change *change_of(const struct history *h, uint64_t id)
{
    for (uint32_t i = h->count; i-- > 0;)
        if (h->changes[i].id == id)
            return &h->changes[i];
    return NULL;
}

/* Is what the sector shows surely from before that write? */
static bool is_older(const struct history *h, uint64_t tag, const struct change *write,
                     const struct view *v)
{
    for (uint32_t i = 0; i < h->count; i++) {
        const struct change *c = &h->changes[i];
        if ((c->zeros ? 0 : c->tag) == tag && c->end > write->start &&
            c->start <= v->last)
            return false;
    }
    return true;
}

/* A sector of the write that shows something older though another shows the write; of
 * none, or none older: `end`. Sectors that are torn by a plain write say nothing. */
static uint64_t torn_at(const struct oracle *o, const struct atomic_write *a,
                        const struct view *v, const struct reading *r)
{
    uint64_t first = a->first > r->first ? a->first : r->first;
    uint64_t end = a->first + a->count < r->end ? a->first + a->count : r->end;
    bool shows = false;
    uint64_t older = r->end;
    for (uint64_t s = first; s < end; s++) {
        const struct history *h = history_look(o, s);
        const struct change *write = change_of(h, a->tag);
        uint64_t tag = reading_tag(r, s);
        shows |= tag == a->tag;
        if (write != NULL && tag != a->tag && tag != UINT64_MAX &&
            is_older(h, tag, write, v))
            older = s;
    }
    return shows ? older : r->end;
}

/* Under the lock. */
static bool check_atomics(struct oracle *o, const char *what, const struct view *v,
                          const struct reading *r)
{
    for (size_t i = 0; i < o->atomic_count; i++) {
        const struct atomic_write *a = &o->atomics[i];
        uint64_t s = torn_at(o, a, v, r);
        if (s == r->end)
            continue;
        if (o->offence[0] == '\0')
            snprintf(o->offence, sizeof(o->offence),
                     "%s: the atomic write of tag %llu (sectors %llu+%llu) is there in "
                     "part: sector %llu shows tag %llu, which is older",
                     what, (unsigned long long)a->tag, (unsigned long long)a->first,
                     (unsigned long long)a->count, (unsigned long long)s,
                     (unsigned long long)reading_tag(r, s));
        return false;
    }
    return true;
}

bool oracle_check_image(struct oracle *o, const struct image *image)
{
    lock(o);
    struct view v = {.last = o->world->clock++};
    struct reading r = {.image = image, .end = o->sector_count};
    bool good = check_atomics(o, "read", &v, &r);
    unlock(o);
    return good;
}

/* ---- Readings -----------------------------------------------------------------------
 */

static void say_offence(const struct oracle *o, const struct history *h,
                        const struct view *v)
{
    fprintf(stderr, "oracle: %s\n", o->offence);
    fprintf(stderr, "oracle: ended %llu, durable %llu, last %llu\n",
            (unsigned long long)v->ended, (unsigned long long)v->durable,
            (unsigned long long)v->last);
    for (uint32_t i = 0; i < h->count; i++) {
        const struct change *c = &h->changes[i];
        fprintf(stderr, "oracle: tag %llu from %llu to %lld%s%s%s\n",
                (unsigned long long)c->tag, (unsigned long long)c->start,
                (long long)c->end, c->zeros ? " zeros" : "",
                c->optional ? " optional" : "", c->durable ? " durable" : "");
    }
}

/* Under the lock. */
static bool check_sectors(struct oracle *o, const char *what, const struct view *v,
                          const uint8_t *data, uint64_t first, uint64_t count)
{
    struct reading reading = {.data = data, .first = first, .end = first + count};
    for (uint64_t s = first; s < first + count; s++, data += ORACLE_SECTOR) {
        uint64_t tag = oracle_tag(data, s), base = image_tag(o->base, s);
        const struct history *h = history_look(o, s);
        if (tag != UINT64_MAX && may_show(h, base, tag, v))
            continue;
        if (v->torn && tag == UINT64_MAX && may_be_torn(h, base, data, s, v))
            continue;
        uint64_t raw, newest = h->count == 0 ? 0 : h->changes[h->count - 1].tag;
        memcpy(&raw, data, sizeof(raw));
        bool first_offence = o->offence[0] == '\0';
        if (first_offence)
            snprintf(o->offence, sizeof(o->offence),
                     "%s: sector %llu (extent %llu) shows %s %llu; its newest of %u "
                     "changes is %llu",
                     what, (unsigned long long)s, (unsigned long long)(s / 128),
                     tag == UINT64_MAX ? "rubbish" : "tag", (unsigned long long)raw,
                     h->count, (unsigned long long)newest);
        if (first_offence)
            say_offence(o, h, v);
        return false;
    }
    return check_atomics(o, what, v, &reading);
}

bool oracle_check(struct oracle *o, uint64_t since, const uint8_t *data, uint64_t first,
                  uint64_t count)
{
    lock(o);
    struct view v = {.ended = since, .last = o->world->clock++, .torn = true};
    bool good = check_sectors(o, "read", &v, data, first, count);
    unlock(o);
    return good;
}

void oracle_flushed(struct oracle *o, uint64_t since)
{
    lock(o);
    if (since > o->flushed)
        o->flushed = since;
    unlock(o);
}

void oracle_cut_begin(struct oracle *o, struct oracle_cut *cut)
{
    lock(o);
    cut->flushed = o->flushed;
    cut->began = o->world->clock++;
    unlock(o);
}

void oracle_cut_end(struct oracle *o, struct oracle_cut *cut)
{
    cut->time = oracle_now(o);
}

bool oracle_check_cut(struct oracle *o, const struct oracle_cut *cut, const uint8_t *data,
                      uint64_t first, uint64_t count)
{
    lock(o);
    struct view v = {.ended = cut->flushed, .durable = cut->began, .last = cut->time};
    bool good = check_sectors(o, "after a cut", &v, data, first, count);
    unlock(o);
    return good;
}

bool oracle_check_snapshot(struct oracle *o, uint64_t since, uint64_t until,
                           const uint8_t *data, uint64_t first, uint64_t count)
{
    lock(o);
    struct view v = {.ended = since, .last = until};
    bool good = check_sectors(o, "in a snapshot", &v, data, first, count);
    unlock(o);
    return good;
}

/* Between the beginning of the change that shows and the end of the first that surely
 * came after. */
static void narrow_to(const struct history *h, const struct change *c,
                      struct oracle_instant *instant)
{
    if (c->start > instant->earliest)
        instant->earliest = c->start;
    for (uint32_t i = 0; i < h->count; i++) {
        const struct change *u = &h->changes[i];
        if (!u->optional && u->start > c->end && u->end < instant->latest)
            instant->latest = u->end;
    }
}

/* A tag that a copy has brought once more says nothing of when. */
static void narrow_by(const struct history *h, uint64_t base, uint64_t tag,
                      struct oracle_instant *instant)
{
    const struct change as_made = {.start = 1, .end = 1};
    const struct change *shows = tag == base ? &as_made : NULL;
    unsigned count = tag == base;
    for (uint32_t i = 0; i < h->count; i++)
        if (h->changes[i].tag == tag && !h->changes[i].zeros) {
            shows = &h->changes[i];
            count++;
        }
    if (count == 1)
        narrow_to(h, shows, instant);
}

void oracle_narrow(struct oracle *o, struct oracle_instant *instant, const uint8_t *data,
                   uint64_t first, uint64_t count)
{
    lock(o);
    for (uint64_t s = first; s < first + count; s++, data += ORACLE_SECTOR) {
        uint64_t tag = oracle_tag(data, s);
        if (tag != 0)
            narrow_by(history_look(o, s), image_tag(o->base, s), tag, instant);
    }
    unlock(o);
}

const char *oracle_offence(struct oracle *o)
{
    lock(o);
    const char *text = o->offence[0] == '\0' ? NULL : o->offence;
    unlock(o);
    return text;
}
