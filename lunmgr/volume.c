/* SPDX-License-Identifier: Apache-2.0 */
/* The object behind a volume or a snapshot: its identity, who may change it, how it is
 * found and described. What its blocks do is volume_io.c's. */
#include "lunmgr/volume.h"

#include "lunmgr/identity.h"
#include "lunmgr/label.h"
#include "lunmgr/op.h"
#include "lunmgr/sanitize.h"
#include "lunmgr/volume_io.h"
#include "lunmgr/volume_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An IEEE company id is what an NAA type 6 identifier wants. This one has the "locally
 * administered" bit, which no assigned one has: docs/DECISIONS.md. */
#define NAA_OUI 0x02a51aU

/* A walk of thousands waits for memory more than for anything else: what comes that many
 * volumes later is asked for now. */
#define WALK_AHEAD       8
#define CACHE_LINE_BYTES 64

/* ---- Identity -------------------------------------------------------------------- */

#define SERIAL_BITS 36

/* Bytes of the box's id, in which its UUID's hex digits are. */
static uint64_t box_bits(const char *box_id)
{
    uint64_t bits = 0;
    for (const char *p = box_id; *p != '\0'; p++)
        bits = bits * 0x100000001b3ULL + (uint8_t)*p; /* every digit counts */
    return bits;
}

/* NAA type 6 (SPC-4 7.8.6.6.5): company, 36 bits of the box, 64 bits: the box's and the
 * serial. */
static void naa_of_box(const char *box_id, uint64_t naa_serial, uint8_t naa[16])
{
    uint64_t box = box_bits(box_id);
    uint64_t high = 6ULL << 60 | (uint64_t)NAA_OUI << 36 | box >> 28;
    uint64_t low = box << SERIAL_BITS | (naa_serial & ((1ULL << SERIAL_BITS) - 1));
    for (int i = 0; i < 8; i++) {
        naa[i] = (uint8_t)(high >> (56 - 8 * i));
        naa[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    }
}

static uint64_t naa_low(const uint8_t naa[16])
{
    uint64_t low = 0;
    for (int i = 8; i < 16; i++)
        low = low << 8 | naa[i];
    return low;
}

static void rule_make(const void *box_id, uint64_t naa_serial, uint8_t naa[16])
{
    naa_of_box(box_id, naa_serial, naa);
}

static bool rule_serial_of(const void *box_id, const uint8_t naa[16],
                           uint64_t *naa_serial)
{
    uint8_t own[16];
    *naa_serial = naa_low(naa) & ((1ULL << SERIAL_BITS) - 1);
    naa_of_box(box_id, *naa_serial, own);
    return memcmp(own, naa, sizeof(own)) == 0;
}

struct identity_rule identity_rule_of(const struct lunmgr *m)
{
    return (struct identity_rule){
        .arg = m->box_id, .make = rule_make, .serial_of = rule_serial_of};
}

void volume_set_naa(struct volume *v, const uint8_t naa[16])
{
    memcpy(v->naa, naa, sizeof(v->naa));
    snprintf(v->serial, sizeof(v->serial), "%016llx", (unsigned long long)naa_low(naa));
}

void volume_identify(struct volume *v, uint64_t naa_serial)
{
    uint8_t naa[16];
    naa_of_box(v->manager->box_id, naa_serial, naa);
    volume_set_naa(v, naa);
}

const char *volume_id(const struct volume *volume)
{
    return volume->id;
}

struct pool *volume_pool(const struct volume *volume)
{
    return volume->pool;
}

const uint8_t *volume_naa(const struct volume *volume)
{
    return volume->naa;
}

const char *volume_serial(const struct volume *volume)
{
    return volume->serial;
}

uint64_t volume_size_bytes(const struct volume *volume)
{
    return atomic_load(&volume->size_bytes);
}

uint32_t volume_block_bytes(const struct volume *volume)
{
    return volume->block_bytes;
}

uint32_t volume_physical_bytes(const struct volume *volume)
{
    return volume->physical_bytes;
}

bool volume_is_snapshot(const struct volume *volume)
{
    return volume->kind == VOLUME_SNAPSHOT;
}

/* ---- Life ------------------------------------------------------------------------ */

void volume_row_begin(struct volume_row *row, const struct pool *pool, const char *name)
{
    *row = (struct volume_row){.created_s = now_s()};
    id_make(row->id);
    snprintf(row->name, sizeof(row->name), "%s", name);
    memcpy(row->pool_id, pool->id, sizeof(row->pool_id));
}

struct volume *volume_new(struct pool *pool, const struct volume_row *row)
{
    struct volume *v = calloc(1, sizeof(*v));
    if (v == NULL)
        return NULL;
    v->manager = pool->manager;
    v->pool = pool;
    v->kind = row->kind;
    atomic_init(&v->references, 1);
    memcpy(v->id, row->id, sizeof(v->id));
    memcpy(v->name, row->name, sizeof(v->name));
    atomic_init(&v->size_bytes, row->size_bytes);
    v->block_bytes = row->block_bytes;
    v->physical_bytes = row->physical_bytes;
    v->created_s = row->created_s;
    v->trashed_s = row->trashed_s;
    v->is_protected = row->is_protected;
    v->wipe_bytes = row->wipe_bytes;
    atomic_init(&v->zero_detect, row->zero_detect);
    v->guaranteed_bytes = row->guaranteed_bytes;
    memcpy(v->kind == VOLUME_SNAPSHOT ? v->group : v->clone_of,
           v->kind == VOLUME_SNAPSHOT ? row->group : row->origin, CATALOG_ID_MAX);
    volume_identify(v, row->naa_serial);
    fence_init(&v->fence, pool->manager);
    return v;
}

void volume_get(struct volume *volume)
{
    atomic_fetch_add(&volume->references, 1);
}

void volume_put(struct volume *volume)
{
    if (volume == NULL || atomic_fetch_sub(&volume->references, 1) > 1)
        return;
    fence_fini(&volume->fence);
    free(volume->labels);
    free(volume->sanitize_row);
    free(volume->kept_reservation);
    free(volume);
}

void volume_set_base(struct volume *volume, struct volume *base)
{
    if (volume->base != NULL) {
        volume->base->clone_count--;
        volume_put(volume->base);
    }
    volume->base = base;
    if (base == NULL)
        return;
    volume_get(base);
    base->clone_count++;
}

const struct qos *volume_qos(const struct volume *volume)
{
    return &volume->qos;
}

/* ---- Who may change it ----------------------------------------------------------- */

static int volume_refuse_busy(const struct volume *v, struct err *e)
{
    if (volume_sanitize_state(v, NULL) == SANITIZE_RUNNING)
        return err_set(e, -EBUSY, "volume",
                       "volume %s is being sanitized: try again after it", v->name);
    return err_set(e, -EBUSY, volume_is_snapshot(v) ? "snapshot" : "volume",
                   "another operation on %s is under way: try again after it", v->name);
}

int volume_change_begin(struct volume *volume, struct err *e)
{
    if (volume->is_changing || volume->pin_count > 0)
        return volume_refuse_busy(volume, e);
    volume->is_changing = true;
    return 0;
}

void volume_change_end(struct volume *volume)
{
    assert(volume->is_changing);
    volume->is_changing = false;
}

int volume_pin(struct volume *volume, struct err *e)
{
    if (volume->is_changing)
        return volume_refuse_busy(volume, e);
    volume->pin_count++;
    return 0;
}

void volume_unpin(struct volume *volume)
{
    assert(volume->pin_count > 0);
    volume->pin_count--;
}

int volume_unprotected(const struct volume *volume, const char *field, struct err *e)
{
    return volume->is_protected
               ? err_set(e, -EBUSY, field, "%s is protected: end its protection first",
                         volume->name)
               : 0;
}

int volume_cleared(const struct volume *volume, struct err *e)
{
    if (volume_sanitize_state(volume, NULL) == SANITIZE_FAILED)
        return err_set(e, -EBUSY, "volume",
                       "the last sanitize of volume %s failed: have its host sanitize it "
                       "again, or leave the failure mode, first",
                       volume->name);
    if (volume->wipe_bytes <= volume_size_bytes(volume))
        return 0;
    return err_set(e, -EBUSY, "volume",
                   "what a shrink of volume %s has cut off is not all cleared: set its "
                   "size again, to the same, first",
                   volume->name);
}

/* ---- Reading --------------------------------------------------------------------- */

struct volume *volume_find(struct lunmgr *m, const char *name_or_id)
{
    return index_find(&m->volumes, name_or_id);
}

struct volume *volume_next(struct lunmgr *m, const struct volume *prev)
{
    return index_next(&m->volumes, prev == NULL ? NULL : prev->name);
}

/* Of what volume_describe looks at: the volume itself, then its top layer's count, which
 * may be gone by then. */
static void walk_ahead(struct lunmgr *m, const struct row_walk *walk)
{
    struct volume *later = index_ahead(&m->volumes, walk, WALK_AHEAD);
    for (size_t i = 0; later != NULL && i < sizeof(*later); i += CACHE_LINE_BYTES)
        __builtin_prefetch((const char *)later + i);
    struct volume *soon = index_ahead(&m->volumes, walk, WALK_AHEAD / 2);
    if (soon != NULL)
        __builtin_prefetch((const char *)volume_top(soon) +
                           offsetof(struct layer, used_extents));
}

struct volume *volume_walk(struct lunmgr *m, struct row_walk *walk)
{
    struct volume *v = index_walk(&m->volumes, walk);
    walk_ahead(m, walk);
    return v;
}

/* A merge may give the volume another top, and free this one, at any moment. */
static uint64_t top_figure(const struct volume *v,
                           uint64_t (*figure)(const struct layer *top))
{
    pthread_mutex_lock(&v->pool->look);
    uint64_t extents = figure(volume_top((struct volume *)v));
    pthread_mutex_unlock(&v->pool->look);
    return extents;
}

static uint64_t used_of(const struct layer *top)
{
    return atomic_load(&top->used_extents);
}

uint64_t volume_used_extents(const struct volume *v)
{
    return top_figure(v, used_of);
}

uint64_t volume_available_extents(const struct volume *v, uint64_t free_extents)
{
    uint64_t all = space_reserved(v->pool);
    if (all == 0)
        return free_extents;
    uint64_t own = top_figure(v, space_reserved_of);
    uint64_t others = all > own ? all - own : 0;
    return free_extents > others ? free_extents - others : 0;
}

/* Lists describe thousands of volumes: no snprintf here. */
static void naa_text(const uint8_t naa[16], char out[33])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 16; i++) {
        out[2 * i] = digits[naa[i] >> 4];
        out[2 * i + 1] = digits[naa[i] & 15];
    }
    out[32] = '\0';
}

/* What is unlinked from the pool's layers is freed after, and nothing that is linked
 * stands on it. */
static void space_describe(const struct volume *v, struct volume_info *out)
{
    struct pool *pool = v->pool;
    pthread_mutex_lock(&pool->look);
    pthread_mutex_lock(&pool->layers_lock);
    struct layer *top = volume_top((struct volume *)(uintptr_t)v);
    uint64_t own = atomic_load(&top->used_extents), used = 0;
    uint64_t copied = atomic_load(&top->shared_extents);
    uint64_t reserved = space_reserved_of(top);
    for (struct layer *l = top; l != NULL; l = layer_parent(l))
        used += atomic_load(&l->used_extents);
    pthread_mutex_unlock(&pool->layers_lock);
    pthread_mutex_unlock(&pool->look);
    uint64_t unique = own > copied ? own - copied : 0;
    out->allocated_bytes = own * EXTENT_BYTES;
    out->used_bytes = used * EXTENT_BYTES;
    out->unique_bytes = unique * EXTENT_BYTES;
    out->shared_bytes = (used > unique ? used - unique : 0) * EXTENT_BYTES;
    out->reserved_bytes = reserved * EXTENT_BYTES;
}

void volume_describe(const struct volume *v, struct volume_info *out)
{
    *out = (struct volume_info){
        .size_bytes = volume_size_bytes(v),
        .block_bytes = v->block_bytes,
        .physical_bytes = v->physical_bytes,
        .guaranteed_bytes = v->guaranteed_bytes,
        .created_s = v->created_s,
        .mapping_count = v->mapping_count,
        .snapshot_count = v->snapshot_count,
        .is_protected = v->is_protected,
        .zero_detect = atomic_load(&v->zero_detect),
        .qos = v->qos,
        .trashed_s = v->trashed_s,
        .labels = labels_of(v),
    };
    space_describe(v, out);
    if (v->trashed_s != 0)
        out->purge_s = v->trashed_s + v->manager->options.trash_retention_s;
    memcpy(out->id, v->id, sizeof(out->id));
    memcpy(out->name, v->name, sizeof(out->name));
    memcpy(out->clone_of, v->clone_of, sizeof(out->clone_of));
    memcpy(out->pool_id, v->pool->id, sizeof(out->pool_id));
    memcpy(out->pool_name, v->pool->name, sizeof(out->pool_name));
    memcpy(out->serial, v->serial, sizeof(out->serial));
    naa_text(v->naa, out->naa);
}
