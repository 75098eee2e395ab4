/* SPDX-License-Identifier: Apache-2.0 */
/* Loading the records of the catalog at start: pools with their devices and bitmaps,
 * layers, volumes, hosts, mappings, tokens. Before any other thread but the catalog's
 * runs. */
#include "lunmgr/load.h"

#include "base/log.h"
#include "lunmgr/host_priv.h"
#include "lunmgr/op.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/volume_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct load {
    struct lunmgr *m;
    struct layer **layers; /* by id; the pools' */
    size_t layer_count, layer_max;
    struct err *e;
};

/* ---- Rows ------------------------------------------------------------------------ */

static int load_pool(const struct pool_row *row, void *arg)
{
    struct load *l = arg;
    if (index_reserve(&l->m->pools) != 0)
        return err_oom(l->e);
    struct pool *pool = pool_new(l->m, row->id, row->name, row->created_s, l->e);
    if (pool == NULL)
        return -ENOMEM;
    index_add(&l->m->pools, pool->name, pool->id, pool);
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
    struct load *l = arg;
    struct pool *pool = index_find_id(&l->m->pools, row->pool_id);
    assert(pool != NULL); /* a foreign key */
    if (row->slot != pool->device_count + 1 || row->slot > POOL_DEVICE_MAX)
        return err_set(l->e, -EUCLEAN, "slot", "pool %s has a device in slot %u",
                       pool->name, row->slot);
    struct err why;
    struct device *d;
    int rc = device_open(row, &d, &why);
    if (d == NULL)
        return err_oom(l->e);
    pool->devices[pool->device_count++] = d;
    if (rc != 0)
        log_refused(pool, d, &why);
    return 0;
}

static int layer_id_order(const void *id, const void *entry)
{
    uint32_t a = *(const uint32_t *)id, b = (*(struct layer *const *)entry)->id;
    return a < b ? -1 : a > b;
}

/* NULL: there is none (yet). */
static struct layer *loaded_layer(const struct load *l, uint32_t id)
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
    struct load *l = arg;
    struct pool *pool = index_find_id(&l->m->pools, row->pool_id);
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
    struct layer *layer =
        layer_create(pool, row->id, row->size_extents, row->used_extents);
    if (layer == NULL)
        return err_oom(l->e);
    layer_link(layer, parent, NULL);
    l->layers[l->layer_count++] = layer;
    return 0;
}

static int load_volume(const struct volume_row *row, void *arg)
{
    struct load *l = arg;
    struct pool *pool = index_find_id(&l->m->pools, row->pool_id);
    struct layer *layer = loaded_layer(l, row->top_layer);
    assert(pool != NULL && layer != NULL); /* foreign keys */
    struct volume *v = volume_new(pool, row);
    if (v == NULL)
        return err_oom(l->e);
    if (index_reserve(&l->m->volumes) != 0) {
        volume_put(v);
        return err_oom(l->e);
    }
    atomic_store(&v->top, layer);
    layer->volume = v;
    index_add(&l->m->volumes, v->name, v->id, v);
    pool->volume_count++;
    pool->provisioned_bytes += v->size_bytes;
    return 0;
}

static int load_host(const struct host_row *row, void *arg)
{
    struct load *l = arg;
    struct host *h = host_new(row);
    if (h == NULL || index_reserve(&l->m->hosts) != 0) {
        host_free(h);
        return err_oom(l->e);
    }
    index_add(&l->m->hosts, h->row.name, h->row.id, h);
    return 0;
}

static int load_initiator(const char *host_id, const char *initiator, void *arg)
{
    struct load *l = arg;
    struct host *h = index_find_id(&l->m->hosts, host_id);
    assert(h != NULL);
    return host_add_initiator(h, initiator) != 0 ? err_oom(l->e) : 0;
}

static int load_mapping(const struct mapping_row *row, void *arg)
{
    struct load *l = arg;
    struct volume *volume = index_find_id(&l->m->volumes, row->volume_id);
    struct host *host = index_find_id(&l->m->hosts, row->host_id);
    assert(volume != NULL && host != NULL);
    struct mapping *mp = mapping_new(row, volume, host);
    if (mp == NULL || index_reserve(&l->m->mappings) != 0) {
        mapping_free(mp);
        return err_oom(l->e);
    }
    index_add(&l->m->mappings, mp->key, mp->row.id, mp);
    return 0;
}

static int load_token(const struct token_row *row, void *arg)
{
    struct load *l = arg;
    struct token *t = calloc(1, sizeof(*t));
    if (t == NULL || index_reserve(&l->m->tokens) != 0) {
        free(t);
        return err_oom(l->e);
    }
    t->row = *row;
    index_add(&l->m->tokens, t->row.name, t->row.id, t);
    return 0;
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

static int load_bitmaps(struct catalog_txn *txn, struct load *l, struct err *e)
{
    int rc = 0;
    for (struct pool *pool = NULL; rc == 0 && (pool = pool_next(l->m, pool)) != NULL;)
        for (unsigned i = 0; rc == 0 && i < pool->device_count; i++) {
            struct bitmap_load bl = {.alloc = pool->devices[i]->alloc, .e = e};
            rc = bitmap_each(txn, pool->devices[i]->row.no, load_bitmap, &bl, e);
        }
    return rc;
}

static int load_work(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct load *l = arg;
    struct box_row box;
    l->e = e;
    int rc = box_get(txn, &box, e);
    if (rc == 0)
        rc = pool_row_each(txn, load_pool, l, e);
    if (rc == 0)
        rc = device_row_each(txn, load_device, l, e);
    if (rc == 0)
        rc = load_bitmaps(txn, l, e);
    if (rc == 0)
        rc = layer_row_each(txn, load_layer, l, e);
    if (rc == 0)
        rc = volume_row_each(txn, load_volume, l, e);
    if (rc == 0)
        rc = host_row_each(txn, load_host, l, e);
    if (rc == 0)
        rc = initiator_row_each(txn, load_initiator, l, e);
    if (rc == 0)
        rc = mapping_row_each(txn, load_mapping, l, e);
    return rc != 0 ? rc : token_row_each(txn, load_token, l, e);
}

/* ---- Taking possession ----------------------------------------------------------- */

/* The box gets its id at its first start; from now on the catalog is not clean. */
static int claim_box(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct lunmgr *m = arg;
    struct box_row box;
    int rc = box_get(txn, &box, e);
    if (rc != 0)
        return rc;
    if (box.id[0] == '\0')
        id_make(box.id);
    m->was_clean = box.clean;
    memcpy(m->box_id, box.id, sizeof(m->box_id));
    box.clean = false;
    box.generation++;
    return box_set(txn, &box, e);
}

struct raise {
    struct device *device;
    uint64_t generation;
};

static int raise_row(struct catalog_txn *txn, void *arg, struct err *e)
{
    const struct raise *r = arg;
    return device_row_set_generation(txn, r->device->row.no, r->generation, e);
}

/* Odd in the catalog while the superblock is being written, even after: device.h. */
static int raise_generation(struct lunmgr *m, struct device *d, struct err *e)
{
    struct superblock sb;
    uint64_t next = (d->row.generation + 2) / 2 * 2;
    struct raise r = {.device = d, .generation = next - 1};
    int rc = catalog_write_wait(m->options.catalog, raise_row, &r, e);
    if (rc == 0)
        rc = device_read_superblock(d->fd, &sb, e);
    if (rc == 0) {
        sb.generation = next;
        rc = device_write_superblock(d->fd, &sb, e);
    }
    r.generation = next;
    if (rc == 0)
        rc = catalog_write_wait(m->options.catalog, raise_row, &r, e);
    if (rc == 0)
        d->row.generation = next;
    return rc;
}

static void raise_pool(struct lunmgr *m, struct pool *pool)
{
    for (unsigned i = 0; i < pool->device_count; i++) {
        struct device *d = pool->devices[i];
        struct err e = {.code = 0};
        if (atomic_load(&d->failed) || raise_generation(m, d, &e) == 0)
            continue;
        atomic_store(&d->failed, true);
        log_refused(pool, d, &e);
    }
}

static void log_leaks(void *arg, const struct pool_check_report *report,
                      const struct err *e)
{
    struct pool *pool = arg;
    char reason[ERR_TEXT_MAX];
    if (e != NULL) {
        atomic_store(&pool->has_leaks, true); /* the next start tries again */
        log_error("the check after an unclean stop failed", "pool=%s reason=%s",
                  pool->name, log_quote(reason, sizeof(reason), e->text));
    } else {
        log_info("checked after an unclean stop",
                 "pool=%s named=%llu leaked=%llu double=%llu"
                 " lost=%llu",
                 pool->name, (unsigned long long)report->named_extents,
                 (unsigned long long)report->leaked_extents,
                 (unsigned long long)report->double_extents,
                 (unsigned long long)report->lost_extents);
    }
}

/* Drops and merges that were under way, or were to be, go on. */
static void resume_layers(struct load *l)
{
    for (size_t i = 0; i < l->layer_count; i++)
        if (!pool_is_failed(l->layers[i]->pool))
            layer_look(l->layers[i]);
}

int load_all(struct lunmgr *m, struct err *e)
{
    struct load l = {.m = m, .e = e};
    int rc = catalog_write_wait(m->options.catalog, claim_box, m, e);
    if (rc == 0)
        rc = catalog_read_wait(m->options.catalog, load_work, &l, e);
    l.e = e;
    for (struct pool *pool = NULL; rc == 0 && (pool = pool_next(m, pool)) != NULL;) {
        raise_pool(m, pool);
        round_start(pool);
        if (m->was_clean || pool_is_failed(pool))
            continue;
        atomic_fetch_add(&pool->check_count, 1);
        map_check_start(pool, true, loop_inbox(m->home), log_leaks, pool);
    }
    if (rc == 0)
        resume_layers(&l);
    free(l.layers);
    return rc;
}

/* ---- Away
 * --------------------------------------------------------------------------------------
 */

void load_free(struct lunmgr *m)
{
    for (struct mapping *mp; (mp = mapping_next(m, NULL)) != NULL;) {
        index_remove(&m->mappings, mp->key, mp->row.id);
        mapping_free(mp);
    }
    for (struct host *h; (h = host_next(m, NULL)) != NULL;) {
        index_remove(&m->hosts, h->row.name, h->row.id);
        host_free(h);
    }
    for (struct token *t; (t = token_next(m, NULL)) != NULL;) {
        index_remove(&m->tokens, t->row.name, t->row.id);
        free(t);
    }
    for (struct volume *v; (v = volume_next(m, NULL)) != NULL;) {
        index_remove(&m->volumes, v->name, v->id);
        volume_put(v);
    }
    for (struct pool *pool; (pool = pool_next(m, NULL)) != NULL;) {
        index_remove(&m->pools, pool->name, pool->id);
        pool_free(pool);
    }
    index_fini(&m->mappings);
    index_fini(&m->hosts);
    index_fini(&m->tokens);
    index_fini(&m->volumes);
    index_fini(&m->pools);
}
