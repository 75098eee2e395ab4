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
    uint64_t tag;
    uint64_t start, end;
    bool zeros, optional, durable;
};

struct history {
    struct change *changes;
    uint32_t count, capacity;
};

struct oracle {
    pthread_mutex_t lock;
    uint64_t clock;
    uint64_t next_tag;
    uint64_t flushed;
    uint64_t sector_count;
    struct history *sectors;
    char offence[256];
};

struct oracle *oracle_create(uint64_t bytes)
{
    struct oracle *o = calloc(1, sizeof(*o));
    assert(o != NULL);
    pthread_mutex_init(&o->lock, NULL);
    o->clock = 2;
    o->next_tag = 1;
    o->flushed = 2;
    o->sector_count = bytes / ORACLE_SECTOR;
    o->sectors = calloc((size_t)o->sector_count, sizeof(o->sectors[0]));
    assert(o->sectors != NULL);
    return o;
}

void oracle_destroy(struct oracle *o)
{
    if (o == NULL)
        return;
    for (uint64_t s = 0; s < o->sector_count; s++)
        free(o->sectors[s].changes);
    free(o->sectors);
    pthread_mutex_destroy(&o->lock);
    free(o);
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
    assert(first <= o->sector_count && count <= o->sector_count - first);
    pthread_mutex_lock(&o->lock);
    struct change c = {.tag = o->next_tag++,
                       .start = o->clock++,
                       .end = FOREVER,
                       .zeros = zeros,
                       .optional = optional};
    for (uint64_t s = first; s < first + count; s++)
        history_add(&o->sectors[s], &c);
    pthread_mutex_unlock(&o->lock);
    return c.tag;
}

void oracle_end(struct oracle *o, uint64_t tag, uint64_t first, uint64_t count,
                enum oracle_outcome outcome)
{
    pthread_mutex_lock(&o->lock);
    uint64_t now = o->clock++;
    for (uint64_t s = first; s < first + count; s++) {
        struct history *h = &o->sectors[s];
        uint32_t i = h->count;
        do {
            assert(i > 0);
            i--;
        } while (h->changes[i].tag != tag);
        h->changes[i].durable = outcome == ORACLE_DURABLE;
        if (outcome == ORACLE_FAILED)
            h->changes[i].optional = true;
        else
            h->changes[i].end = now;
    }
    pthread_mutex_unlock(&o->lock);
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
    pthread_mutex_lock(&o->lock);
    uint64_t now = o->clock++;
    pthread_mutex_unlock(&o->lock);
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

/* May a sector with this history show that tag? */
static bool may_show(const struct history *h, uint64_t tag, const struct view *v)
{
    if (tag == 0 && !is_replaced(h, 1, v))
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
static bool may_be_torn(const struct history *h, const uint8_t *data, uint64_t sector,
                        const struct view *v)
{
    bool changes = false;
    for (uint32_t i = 0; i < h->count; i++)
        changes |= h->changes[i].start <= v->last && h->changes[i].end >= v->ended;
    for (uint64_t w = 0; changes && w < SECTOR_WORDS; w++) {
        uint64_t word;
        memcpy(&word, data + w * sizeof(word), sizeof(word));
        bool known = word == 0 && may_show(h, 0, v);
        for (uint32_t i = h->count; !known && i-- > 0;)
            known = word == pattern(h->changes[i].tag, sector, w) &&
                    may_show(h, h->changes[i].tag, v);
        if (!known)
            return false;
    }
    return changes;
}

/* Under the lock. */
static bool check_sectors(struct oracle *o, const char *what, const struct view *v,
                          const uint8_t *data, uint64_t first, uint64_t count)
{
    for (uint64_t s = first; s < first + count; s++, data += ORACLE_SECTOR) {
        uint64_t tag = oracle_tag(data, s);
        const struct history *h = &o->sectors[s];
        if (tag != UINT64_MAX && may_show(h, tag, v))
            continue;
        if (v->torn && tag == UINT64_MAX && may_be_torn(h, data, s, v))
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
            fprintf(stderr, "oracle: %s\n", o->offence);
        return false;
    }
    return true;
}

bool oracle_check(struct oracle *o, uint64_t since, const uint8_t *data, uint64_t first,
                  uint64_t count)
{
    pthread_mutex_lock(&o->lock);
    struct view v = {.ended = since, .last = o->clock++, .torn = true};
    bool good = check_sectors(o, "read", &v, data, first, count);
    pthread_mutex_unlock(&o->lock);
    return good;
}

void oracle_flushed(struct oracle *o, uint64_t since)
{
    pthread_mutex_lock(&o->lock);
    if (since > o->flushed)
        o->flushed = since;
    pthread_mutex_unlock(&o->lock);
}

void oracle_cut_begin(struct oracle *o, struct oracle_cut *cut)
{
    pthread_mutex_lock(&o->lock);
    cut->flushed = o->flushed;
    cut->began = o->clock++;
    pthread_mutex_unlock(&o->lock);
}

void oracle_cut_end(struct oracle *o, struct oracle_cut *cut)
{
    cut->time = oracle_now(o);
}

bool oracle_check_cut(struct oracle *o, const struct oracle_cut *cut, const uint8_t *data,
                      uint64_t first, uint64_t count)
{
    pthread_mutex_lock(&o->lock);
    struct view v = {.ended = cut->flushed, .durable = cut->began, .last = cut->time};
    bool good = check_sectors(o, "after a cut", &v, data, first, count);
    pthread_mutex_unlock(&o->lock);
    return good;
}

const char *oracle_offence(struct oracle *o)
{
    pthread_mutex_lock(&o->lock);
    const char *text = o->offence[0] == '\0' ? NULL : o->offence;
    pthread_mutex_unlock(&o->lock);
    return text;
}
