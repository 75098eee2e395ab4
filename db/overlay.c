/* SPDX-License-Identifier: Apache-2.0 */
/* Deltas in a list, oldest first, and a shelf of their sections. The lock is held for
 * writing while sections come and go, for reading while one leaf is looked up. */
#include "db/overlay.h"

#include "db/shelf.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>

struct overlay {
    pthread_rwlock_t lock;
    struct delta *first, *last;
    struct shelf shelf;
    uint64_t forgotten; /* all up to this id are */
    uint64_t next_id;
    size_t delta_bytes;
};

struct delta *delta_alloc(void)
{
    struct delta *d = malloc(sizeof(*d) + DELTA_BLOB_MAX);
    if (d != NULL)
        *d = (struct delta){.next = NULL};
    return d;
}

struct delta *delta_trim(struct delta *d)
{
    struct delta *exact = realloc(d, sizeof(*d) + d->bytes);
    return exact == NULL ? d : exact;
}

int overlay_create(struct overlay **out)
{
    struct overlay *o = calloc(1, sizeof(*o));
    if (o == NULL)
        return -ENOMEM;
    pthread_rwlock_init(&o->lock, NULL);
    o->next_id = 1;
    *out = o;
    return 0;
}

void overlay_destroy(struct overlay *o)
{
    if (o == NULL)
        return;
    overlay_forget_from(o, 0);
    shelf_fini(&o->shelf);
    pthread_rwlock_destroy(&o->lock);
    free(o);
}

size_t overlay_bytes(const struct overlay *o)
{
    return o->delta_bytes + o->shelf.entry_count * sizeof(struct shelf_entry);
}

uint64_t overlay_lowest_id(const struct overlay *o)
{
    return o->forgotten + 1;
}

uint64_t overlay_next_id(const struct overlay *o)
{
    return o->next_id;
}

/* ---- The writer's ------------------------------------------------------------------ */

static int delta_shelve(struct overlay *o, struct delta *d)
{
    struct delta_reader r;
    struct delta_section section;
    int rc = delta_open(&r, d->id, d->blob, d->bytes);
    while (rc == 0 && (rc = delta_next(&r, &section)) > 0) {
        struct shelf_entry entry = {section.leaf_key, d, section.offset, section.bytes};
        rc = shelf_add(&o->shelf, &entry);
        d->sections++;
    }
    return rc;
}

static bool entry_is_from(const struct shelf_entry *entry, const void *arg)
{
    return entry->delta->id >= *(const uint64_t *)arg;
}

static bool entry_is_through(const struct shelf_entry *entry, const void *arg)
{
    return entry->delta->id <= *(const uint64_t *)arg;
}

int overlay_add(struct overlay *o, struct delta *d)
{
    assert(d->id >= o->next_id);
    pthread_rwlock_wrlock(&o->lock);
    int rc = delta_shelve(o, d);
    if (rc != 0) {
        shelf_prune(&o->shelf, entry_is_from, &d->id);
    } else {
        if (o->first == NULL)
            o->first = d;
        else
            o->last->next = d;
        o->last = d;
        o->delta_bytes += sizeof(*d) + d->bytes;
        o->next_id = d->id + 1;
    }
    pthread_rwlock_unlock(&o->lock);
    return rc;
}

static void deltas_free(struct overlay *o, struct delta *d)
{
    while (d != NULL) {
        struct delta *next = d->next;
        o->delta_bytes -= sizeof(*d) + d->bytes;
        free(d);
        d = next;
    }
}

void overlay_forget_from(struct overlay *o, uint64_t id)
{
    if (o->last == NULL || o->last->id < id)
        return;
    struct delta *kept = NULL, *gone = o->first;
    for (; gone->id < id; gone = gone->next)
        kept = gone;
    pthread_rwlock_wrlock(&o->lock);
    shelf_prune(&o->shelf, entry_is_from, &id);
    o->next_id = gone->id;
    o->last = kept;
    if (kept == NULL)
        o->first = NULL;
    else
        kept->next = NULL;
    pthread_rwlock_unlock(&o->lock);
    deltas_free(o, gone);
}

void overlay_forget_through(struct overlay *o, uint64_t id)
{
    struct delta *gone = NULL, **link = &gone;
    pthread_rwlock_wrlock(&o->lock);
    shelf_prune(&o->shelf, entry_is_through, &id);
    while (o->first != NULL && o->first->id <= id) {
        *link = o->first;
        o->first = o->first->next;
        (*link)->next = NULL;
        link = &(*link)->next;
    }
    if (o->first == NULL)
        o->last = NULL;
    o->forgotten = id;
    pthread_rwlock_unlock(&o->lock);
    deltas_free(o, gone);
}

/* ---- Everyone's -------------------------------------------------------------------- */

/* With the lock: adds what the entries of one leaf say, from *at on; *at is behind them.
 * True if any of these deltas says something. */
static bool leaf_read(const struct overlay *o, struct shelf_at *at, uint64_t lowest,
                      uint64_t highest, struct leaf_patch *out)
{
    bool any = false;
    const struct shelf_entry *entry;
    while ((entry = shelf_get(&o->shelf, *at)) != NULL &&
           entry->leaf_key == out->leaf_key) {
        if (entry->delta->id >= lowest && entry->delta->id <= highest) {
            int rc =
                delta_section_read(entry->delta->blob + entry->offset, entry->bytes, out);
            assert(rc == 0); /* it was looked through when it came */
            any = true;
        }
        *at = shelf_next(&o->shelf, *at);
    }
    return any;
}

int overlay_next(struct overlay *o, uint64_t first_leaf, uint64_t last_leaf,
                 uint64_t lowest, uint64_t highest, struct leaf_patch *out)
{
    const struct shelf_entry *entry;
    pthread_rwlock_rdlock(&o->lock);
    int rc = lowest <= o->forgotten ? -ESTALE : 0;
    struct shelf_at at = shelf_seek(&o->shelf, first_leaf);
    while (rc == 0 && (entry = shelf_get(&o->shelf, at)) != NULL &&
           entry->leaf_key <= last_leaf) {
        leaf_patch_init(out, entry->leaf_key);
        if (leaf_read(o, &at, lowest, highest, out))
            rc = 1;
    }
    pthread_rwlock_unlock(&o->lock);
    return rc;
}
