/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of pools into objects. At start no other thread but the catalog's runs; at run
 * time what is made is nobody else's yet. */
#include "lunmgr/load_pool.h"

#include "base/log.h"
#include "lunmgr/label.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/sanitize_priv.h"
#include "lunmgr/volume_io.h"
#include "lunmgr/volume_priv.h"
#include "lunmgr/wipe.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_wanted(const struct pool_load *l, const char *pool_id)
{
    return l->pool_id == NULL || strcmp(l->pool_id, pool_id) == 0;
}

static struct pool *next_pool(const struct pool_load *l, const struct pool *prev)
{
    return index_next(l->pools, prev == NULL ? NULL : prev->name);
}

/* ---- Pools and devices ------------------------------------------------------------- */

static int load_pool(const struct pool_row *row, void *arg)
{
    struct pool_load *l = arg;
    if (!is_wanted(l, row->id))
        return 0;
    if (index_reserve(l->pools) != 0)
        return err_oom(l->e);
    struct pool *pool = pool_new(l->m, row->id, row->name, row->created_s, l->e);
    if (pool == NULL) {
        index_unreserve(l->pools);
        return -ENOMEM;
    }
    pool->overcommit_cap_percent = row->overcommit_cap_percent;
    pool->page_cache = row->page_cache;
    index_add(l->pools, pool->name, pool->id, pool);
    l->only = l->pool_id == NULL ? NULL : pool;
    if (usage_thresholds_read(row->usage_thresholds, &pool->usage_thresholds) != 0)
        return err_set(l->e, -EUCLEAN, NULL,
                       "catalog: the thresholds of pool %s are '%s'", row->name,
                       row->usage_thresholds);
    return 0;
}

static void log_refused(const struct pool *pool, const struct device *d,
                        const struct err *why)
{
    char path[CATALOG_PATH_MAX], reason[ERR_TEXT_MAX];
    log_error("a pool's device cannot be used", "pool=%s path=%s reason=%s", pool->name,
              log_quote(path, sizeof(path), d->row.path),
              log_quote(reason, sizeof(reason), why->text));
}

static int load_device(const struct device_row *row, void *arg)
{
    struct pool_load *l = arg;
    if (!is_wanted(l, row->pool_id))
        return 0;
    struct pool *pool = index_find_id(l->pools, row->pool_id);
    assert(pool != NULL); /* a foreign key */
    if (row->slot < 1 || row->slot > POOL_DEVICE_MAX ||
        pool_slot(pool, row->slot) != NULL)
        return err_set(l->e, -EUCLEAN, "slot", "pool %s has a device in slot %u",
                       pool->name, row->slot);
    struct err why;
    struct device *d;
    int rc = l->open(l, row, &d, &why);
    if (d == NULL)
        return err_oom(l->e);
    atomic_store(&d->evacuation, row->evacuation);
    device_use_page_cache(d, pool->page_cache);
    pool_add_device(pool, d);
    if (rc != 0)
        log_refused(pool, d, &why);
    if (rc == -ESTALE)
        pool->closed = true;
    return 0;
}

/* The others of a pool whose catalog is older than one of them are of no use either: the
 * map names blocks of theirs that have been others' since. */
static void miss_all(struct pool *pool)
{
    struct err why;
    err_set(&why, -ESTALE, "generation",
            "the catalog is older than another device of the pool");
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        if (!device_is_failed(d)) {
            device_miss(d, &why);
            log_refused(pool, d, &why);
        }
}

/* All devices have been looked at: which pools are served. */
static void judge_pools(struct pool_load *l)
{
    for (struct pool *pool = NULL; (pool = next_pool(l, pool)) != NULL;) {
        if (pool->closed)
            miss_all(pool);
        pool->closed = pool_is_failed(pool);
    }
}

struct bitmap_load {
    struct alloc *alloc;
    struct err *e;
};

static int load_bitmap(const struct bitmap_change *row, void *arg)
{
    struct bitmap_load *bl = arg;
    return alloc_load(bl->alloc, row, bl->e);
}

static int load_bitmaps(struct catalog_txn *txn, struct pool_load *l, struct err *e)
{
    int rc = 0;
    for (struct pool *pool = NULL; rc == 0 && (pool = next_pool(l, pool)) != NULL;)
        for (struct device *d = NULL;
             rc == 0 && (d = pool_next_device(pool, d)) != NULL;) {
            struct bitmap_load bl = {.alloc = d->alloc, .e = e};
            rc = bitmap_each(txn, d->row.no, load_bitmap, &bl, e);
        }
    return rc;
}

/* ---- Layers, volumes and snapshots ------------------------------------------------- */

static int layer_id_order(const void *id, const void *entry)
{
    uint32_t a = *(const uint32_t *)id, b = (*(struct layer *const *)entry)->id;
    return a < b ? -1 : a > b;
}

/* NULL: there is none (yet). */
static struct layer *loaded_layer(const struct pool_load *l, uint32_t id)
{
    struct layer **entry = l->layer_count == 0
                               ? NULL
                               : bsearch(&id, l->layers, l->layer_count,
                                         sizeof(struct layer *), layer_id_order);
    return entry == NULL ? NULL : *entry;
}

/* Rows come in order of id; what a layer stands on has a lower one. */
static int load_layer(const struct layer_row *row, void *arg)
{
    struct pool_load *l = arg;
    if (!is_wanted(l, row->pool_id))
        return 0;
    struct pool *pool = index_find_id(l->pools, row->pool_id);
    assert(pool != NULL); /* a foreign key */
    struct layer *parent = row->parent == 0 ? NULL : loaded_layer(l, row->parent);
    if (row->parent != 0 && parent == NULL)
        return err_set(l->e, -EUCLEAN, "parent",
                       "layer %u stands on layer %u, which is not older", row->id,
                       row->parent);
    if (l->layer_count == l->layer_max) {
        size_t max = l->layer_max == 0 ? 64 : 2 * l->layer_max;
        struct layer **grown = realloc(l->layers, max * sizeof(struct layer *));
        if (grown == NULL)
            return err_oom(l->e);
        l->layers = grown;
        l->layer_max = max;
    }
    struct layer *layer = layer_create(pool, row->size_extents, row->used_extents);
    if (layer == NULL)
        return err_oom(l->e);
    uint64_t used = row->used_extents, shared = row->shared_extents;
    if (shared > used) /* not counted before: 015_space.sql */
        shared = used;
    atomic_store(&layer->shared_extents, shared);
    atomic_store(&layer->taken_extents, used - shared);
    layer_set_id(layer, row->id, parent);
    layer_link(layer, parent, NULL);
    l->layers[l->layer_count++] = layer;
    return 0;
}

/* The object with its top; in no index. */
static int volume_from_row(struct pool_load *l, const struct volume_row *row,
                           struct volume **out)
{
    struct pool *pool = index_find_id(l->pools, row->pool_id);
    struct layer *layer = loaded_layer(l, row->top_layer);
    assert(pool != NULL && layer != NULL); /* foreign keys */
    *out = volume_new(pool, row);
    if (*out == NULL)
        return err_oom(l->e);
    atomic_store(&(*out)->top, layer);
    layer->volume = *out;
    return 0;
}

static int load_volume(const struct volume_row *row, void *arg)
{
    struct pool_load *l = arg;
    struct volume *v;
    struct index *ix = row->trashed_s != 0 ? l->trash : l->volumes;
    if (row->kind != VOLUME_PLAIN || !is_wanted(l, row->pool_id))
        return 0;
    if (index_reserve(ix) != 0)
        return err_oom(l->e);
    int rc = volume_from_row(l, row, &v);
    if (rc != 0) {
        index_unreserve(ix);
        return rc;
    }
    index_add(ix, ix == l->trash ? v->id : v->name, v->id, v);
    v->pool->volume_count++;
    v->pool->provisioned_bytes += row->size_bytes;
    space_load(volume_top(v), extents_for(row->guaranteed_bytes));
    return 0;
}

/* A volume by id, in the trash or not. */
static struct volume *loaded_volume(const struct pool_load *l, const char *id)
{
    struct volume *v = index_find_id(l->volumes, id);
    return v != NULL ? v : index_find_id(l->trash, id);
}

static int load_snapshot(const struct volume_row *row, void *arg)
{
    struct pool_load *l = arg;
    struct volume *s, **grown;
    if (row->kind != VOLUME_SNAPSHOT || !is_wanted(l, row->pool_id))
        return 0;
    if (l->found_count == l->found_max) {
        size_t max = l->found_max == 0 ? 64 : 2 * l->found_max;
        grown = realloc(l->found, max * sizeof(struct volume *));
        if (grown == NULL)
            return err_oom(l->e);
        l->found = grown;
        l->found_max = max;
    }
    if (index_reserve(l->snapshots) != 0)
        return err_oom(l->e);
    int rc = volume_from_row(l, row, &s);
    if (rc != 0) {
        index_unreserve(l->snapshots);
        return rc;
    }
    s->of = loaded_volume(l, row->origin);
    assert(s->of != NULL); /* the schema's */
    l->found[l->found_count++] = s;
    return 0;
}

/* A layer that was sealed earlier has a lower number. */
static int snapshot_age_order(const void *a, const void *b)
{
    uint32_t x = volume_top(*(struct volume *const *)a)->id;
    uint32_t y = volume_top(*(struct volume *const *)b)->id;
    return x < y ? -1 : x > y;
}

static void adopt_snapshots(struct pool_load *l)
{
    if (l->found_count > 1)
        qsort(l->found, l->found_count, sizeof(struct volume *), snapshot_age_order);
    for (size_t i = 0; i < l->found_count; i++) {
        struct volume *s = l->found[i];
        snapshot_attach(s, s->of);
        snapshot_set_key(s);
        if (s->of->trashed_s != 0)
            index_unreserve(l->snapshots);
        else
            index_add(l->snapshots, s->key, s->id, s);
    }
}

static int snapshot_id_order(const void *a, const void *b)
{
    return strcmp((*(struct volume *const *)a)->id, (*(struct volume *const *)b)->id);
}

static struct volume *loaded_snapshot(const struct pool_load *l, const char *id)
{
    size_t low = 0, high = l->found_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(id, l->found[mid]->id);
        if (order == 0)
            return l->found[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

/* A volume or a snapshot; NULL: of a pool that is not wanted. */
static struct volume *loaded_any(const struct pool_load *l, const char *id)
{
    struct volume *v = loaded_volume(l, id);
    if (v == NULL)
        v = loaded_snapshot(l, id);
    assert(v != NULL || l->pool_id != NULL); /* a foreign key */
    return v;
}

static int load_label(const char *volume_id, const struct label_row *row, void *arg)
{
    struct pool_load *l = arg;
    struct volume *v = loaded_any(l, volume_id);
    return v != NULL && labels_add(v, row->key, row->value) != 0 ? err_oom(l->e) : 0;
}

static int load_modes(const char *volume_id, const struct modes *modes, void *arg)
{
    struct pool_load *l = arg;
    struct volume *v = loaded_any(l, volume_id);
    if (v == NULL)
        return 0;
    v->saved_modes = *modes;
    v->has_saved_modes = true;
    return 0;
}

static int load_reservation(const char *volume_id, const struct kept_reservation *kept,
                            void *arg)
{
    struct pool_load *l = arg;
    struct volume *v = loaded_any(l, volume_id);
    return v != NULL && volume_load_reservation(v, kept) != 0 ? err_oom(l->e) : 0;
}

static int load_volume_qos(const char *volume_id, const struct qos *qos, void *arg)
{
    struct pool_load *l = arg;
    struct volume *v = loaded_any(l, volume_id);
    if (v != NULL)
        v->qos = *qos;
    return 0;
}

static int load_sanitize(const struct sanitize_row *row, void *arg)
{
    struct pool_load *l = arg;
    struct volume *v = loaded_any(l, row->volume_id);
    return v != NULL && sanitize_load(v, row) != 0 ? err_oom(l->e) : 0;
}

static int load_identity(const char *volume_id, const uint8_t naa[CATALOG_NAA_BYTES],
                         void *arg)
{
    struct volume *v = loaded_any(arg, volume_id);
    if (v != NULL)
        volume_set_naa(v, naa);
    return 0;
}

/* Clones know what they were cloned from while that is there. */
static void link_clones(struct pool_load *l, struct index *ix)
{
    const char *after = NULL;
    for (struct volume *v; (v = index_next(ix, after)) != NULL;) {
        if (v->clone_of[0] != '\0')
            volume_set_base(v, loaded_snapshot(l, v->clone_of));
        after = ix == l->trash ? v->id : v->name;
    }
}

static int load_volumes(struct catalog_txn *txn, struct pool_load *l, struct err *e)
{
    int rc = layer_row_each(txn, load_layer, l, e);
    if (rc == 0)
        rc = volume_row_each(txn, load_volume, l, e);
    if (rc == 0)
        rc = volume_row_each(txn, load_snapshot, l, e);
    if (rc != 0)
        return rc;
    adopt_snapshots(l);
    l->snapshots_adopted = true;
    if (l->found_count > 1)
        qsort(l->found, l->found_count, sizeof(struct volume *), snapshot_id_order);
    link_clones(l, l->volumes);
    link_clones(l, l->trash);
    return 0;
}

/* What volumes have besides their own rows. */
static int load_belongings(struct catalog_txn *txn, struct pool_load *l, struct err *e)
{
    int rc = identity_row_each(txn, load_identity, l, e);
    if (rc == 0)
        rc = label_row_each(txn, load_label, l, e);
    if (rc == 0)
        rc = mode_row_each(txn, load_modes, l, e);
    if (rc == 0)
        rc = reservation_row_each(txn, load_reservation, l, e);
    if (rc == 0)
        rc = qos_row_each(txn, QOS_OF_VOLUME, load_volume_qos, l, e);
    return rc != 0 ? rc : sanitize_row_each(txn, load_sanitize, l, e);
}

int pool_load_rows(struct catalog_txn *txn, struct pool_load *l, struct err *e)
{
    l->e = e;
    int rc = pool_row_each(txn, load_pool, l, e);
    if (rc == 0)
        rc = device_row_each(txn, load_device, l, e);
    if (rc == 0)
        judge_pools(l);
    if (rc == 0)
        rc = load_bitmaps(txn, l, e);
    if (rc == 0)
        rc = load_volumes(txn, l, e);
    return rc != 0 ? rc : load_belongings(txn, l, e);
}

/* ---- What was under way ------------------------------------------------------------ */

/* A sanitize goes before a wipe, which then waits for the volume's next growth. */
void volume_resume(struct volume *v)
{
    if (volume_sanitize_state(v, NULL) == SANITIZE_RUNNING)
        sanitize_resume(v);
    else if (!pool_is_failed(v->pool))
        wipe_resume(v);
}

void pool_load_look(struct pool_load *l)
{
    for (size_t i = 0; i < l->layer_count; i++)
        if (!pool_is_failed(l->layers[i]->pool))
            layer_look(l->layers[i]);
}

void pool_load_fini(struct pool_load *l)
{
    for (size_t i = 0; !l->snapshots_adopted && i < l->found_count; i++)
        volume_put(l->found[i]);
    free(l->layers);
    free(l->found);
}

void volume_unload(struct volume *v)
{
    for (struct volume *s; (s = v->first_snapshot) != NULL;) {
        snapshot_detach(s);
        volume_put(s);
    }
    volume_set_base(v, NULL);
    volume_put(v);
}
