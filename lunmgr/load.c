/* SPDX-License-Identifier: Apache-2.0 */
/* Loading the records of the catalog at start: pools with their devices and bitmaps,
 * layers, volumes, hosts, mappings, tokens, jobs. Before any other thread but the
 * catalog's runs. */
#include "lunmgr/load.h"

#include "base/log.h"
#include "lunmgr/host_priv.h"
#include "lunmgr/label.h"
#include "lunmgr/op.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/sanitize_priv.h"
#include "lunmgr/volume_io.h"
#include "lunmgr/volume_priv.h"
#include "lunmgr/wipe.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct load {
    struct lunmgr *m;
    struct layer **layers; /* by id; the pools' */
    size_t layer_count, layer_max;
    struct volume **snapshots; /* by id in the end */
    size_t snapshot_count, snapshot_max;
    bool snapshots_adopted; /* by their volumes */
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
    pool->overcommit_cap_percent = row->overcommit_cap_percent;
    index_add(&l->m->pools, pool->name, pool->id, pool);
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
    struct load *l = arg;
    struct pool *pool = index_find_id(&l->m->pools, row->pool_id);
    assert(pool != NULL); /* a foreign key */
    if (row->slot < 1 || row->slot > POOL_DEVICE_MAX ||
        pool_slot(pool, row->slot) != NULL)
        return err_set(l->e, -EUCLEAN, "slot", "pool %s has a device in slot %u",
                       pool->name, row->slot);
    struct err why;
    struct device *d;
    int rc = device_open(row, &d, &why);
    if (d == NULL)
        return err_oom(l->e);
    atomic_store(&d->evacuation, row->evacuation);
    pool_add_device(pool, d);
    if (rc != 0)
        log_refused(pool, d, &why);
    else
        stamps_add(l->m, d);
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
static int volume_from_row(struct load *l, const struct volume_row *row,
                           struct volume **out)
{
    struct pool *pool = index_find_id(&l->m->pools, row->pool_id);
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
    struct load *l = arg;
    struct volume *v;
    struct index *ix = row->trashed_s != 0 ? &l->m->trash : &l->m->volumes;
    if (row->kind != VOLUME_PLAIN)
        return 0;
    if (index_reserve(ix) != 0)
        return err_oom(l->e);
    int rc = volume_from_row(l, row, &v);
    if (rc != 0)
        return rc;
    index_add(ix, ix == &l->m->trash ? v->id : v->name, v->id, v);
    v->pool->volume_count++;
    v->pool->provisioned_bytes += row->size_bytes;
    space_load(volume_top(v), extents_for(row->guaranteed_bytes));
    return 0;
}

/* A volume by id, in the trash or not. */
static struct volume *loaded_volume(const struct lunmgr *m, const char *id)
{
    struct volume *v = index_find_id(&m->volumes, id);
    return v != NULL ? v : index_find_id(&m->trash, id);
}

static int load_snapshot(const struct volume_row *row, void *arg)
{
    struct load *l = arg;
    struct volume *s, **grown;
    if (row->kind != VOLUME_SNAPSHOT)
        return 0;
    if (l->snapshot_count == l->snapshot_max) {
        size_t max = l->snapshot_max == 0 ? 64 : 2 * l->snapshot_max;
        grown = realloc(l->snapshots, max * sizeof(struct volume *));
        if (grown == NULL)
            return err_oom(l->e);
        l->snapshots = grown;
        l->snapshot_max = max;
    }
    if (index_reserve(&l->m->snapshots) != 0)
        return err_oom(l->e);
    int rc = volume_from_row(l, row, &s);
    if (rc != 0) {
        index_unreserve(&l->m->snapshots);
        return rc;
    }
    s->of = loaded_volume(l->m, row->origin);
    assert(s->of != NULL); /* the schema's */
    l->snapshots[l->snapshot_count++] = s;
    return 0;
}

/* A layer that was sealed earlier has a lower number. */
static int snapshot_age_order(const void *a, const void *b)
{
    uint32_t x = volume_top(*(struct volume *const *)a)->id;
    uint32_t y = volume_top(*(struct volume *const *)b)->id;
    return x < y ? -1 : x > y;
}

static void adopt_snapshots(struct load *l)
{
    if (l->snapshot_count > 1)
        qsort(l->snapshots, l->snapshot_count, sizeof(struct volume *),
              snapshot_age_order);
    for (size_t i = 0; i < l->snapshot_count; i++) {
        struct volume *s = l->snapshots[i];
        snapshot_attach(s, s->of);
        snapshot_set_key(s);
        if (s->of->trashed_s != 0)
            index_unreserve(&l->m->snapshots);
        else
            index_add(&l->m->snapshots, s->key, s->id, s);
    }
}

static int snapshot_id_order(const void *a, const void *b)
{
    return strcmp((*(struct volume *const *)a)->id, (*(struct volume *const *)b)->id);
}

static struct volume *loaded_snapshot(const struct load *l, const char *id)
{
    size_t low = 0, high = l->snapshot_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(id, l->snapshots[mid]->id);
        if (order == 0)
            return l->snapshots[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

static int load_label(const char *volume_id, const struct label_row *row, void *arg)
{
    struct load *l = arg;
    struct volume *v = loaded_volume(l->m, volume_id);
    if (v == NULL)
        v = loaded_snapshot(l, volume_id);
    assert(v != NULL); /* a foreign key */
    return labels_add(v, row->key, row->value) != 0 ? err_oom(l->e) : 0;
}

static int load_modes(const char *volume_id, const struct modes *modes, void *arg)
{
    struct load *l = arg;
    struct volume *v = loaded_volume(l->m, volume_id);
    if (v == NULL)
        v = loaded_snapshot(l, volume_id);
    assert(v != NULL); /* a foreign key */
    v->saved_modes = *modes;
    v->has_saved_modes = true;
    return 0;
}

static int load_volume_qos(const char *volume_id, const struct qos *qos, void *arg)
{
    struct load *l = arg;
    struct volume *v = loaded_volume(l->m, volume_id);
    assert(v != NULL); /* a foreign key; snapshots have none */
    v->qos = *qos;
    return 0;
}

static int load_sanitize(const struct sanitize_row *row, void *arg)
{
    struct load *l = arg;
    struct volume *v = loaded_volume(l->m, row->volume_id);
    assert(v != NULL); /* a foreign key; snapshots have none */
    return sanitize_load(v, row) != 0 ? err_oom(l->e) : 0;
}

/* Clones know what they were cloned from while that is there. */
static void link_clones(struct load *l, struct index *ix)
{
    const char *after = NULL;
    for (struct volume *v; (v = index_next(ix, after)) != NULL;) {
        if (v->clone_of[0] != '\0')
            volume_set_base(v, loaded_snapshot(l, v->clone_of));
        after = ix == &l->m->trash ? v->id : v->name;
    }
}

static int load_volumes(struct catalog_txn *txn, struct load *l, struct err *e)
{
    int rc = layer_row_each(txn, load_layer, l, e);
    uint32_t next = 1;
    if (rc == 0)
        rc = layer_next_id(txn, &next, e);
    atomic_store(&l->m->last_layer_id, next - 1);
    if (rc == 0)
        rc = volume_row_each(txn, load_volume, l, e);
    if (rc == 0)
        rc = volume_row_each(txn, load_snapshot, l, e);
    if (rc != 0)
        return rc;
    adopt_snapshots(l);
    l->snapshots_adopted = true;
    if (l->snapshot_count > 1)
        qsort(l->snapshots, l->snapshot_count, sizeof(struct volume *),
              snapshot_id_order);
    link_clones(l, &l->m->volumes);
    link_clones(l, &l->m->trash);
    rc = label_row_each(txn, load_label, l, e);
    if (rc == 0)
        rc = mode_row_each(txn, load_modes, l, e);
    return rc != 0 ? rc : qos_row_each(txn, QOS_OF_VOLUME, load_volume_qos, l, e);
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

static int load_auth(const char *owner, const struct auth *auth, void *arg)
{
    struct load *l = arg;
    if (owner[0] == '\0') {
        l->m->box_auth = *auth;
        return 0;
    }
    struct host *h = index_find_id(&l->m->hosts, owner);
    assert(h != NULL); /* the schema's */
    h->auth = *auth;
    return 0;
}

static int load_host_qos(const char *host_id, const struct qos *qos, void *arg)
{
    struct load *l = arg;
    struct host *h = index_find_id(&l->m->hosts, host_id);
    assert(h != NULL); /* a foreign key */
    h->qos = *qos;
    return 0;
}

static int load_mapping(const struct mapping_row *row, void *arg)
{
    struct load *l = arg;
    struct volume *volume = index_find_id(&l->m->volumes, row->volume_id);
    if (volume == NULL)
        volume = index_find_id(&l->m->snapshots, row->volume_id);
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
    struct token *t = token_new(l->m, row);
    if (t == NULL || index_reserve(&l->m->tokens) != 0) {
        free(t);
        return err_oom(l->e);
    }
    index_add(&l->m->tokens, t->row.name, t->row.id, t);
    return 0;
}

static int load_job(const struct job_row *row, void *arg)
{
    struct load *l = arg;
    return jobs_load(l->m, row, l->e);
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
        for (struct device *d = NULL;
             rc == 0 && (d = pool_next_device(pool, d)) != NULL;) {
            struct bitmap_load bl = {.alloc = d->alloc, .e = e};
            rc = bitmap_each(txn, d->row.no, load_bitmap, &bl, e);
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
        rc = load_volumes(txn, l, e);
    if (rc == 0)
        rc = sanitize_row_each(txn, load_sanitize, l, e);
    if (rc == 0)
        rc = host_row_each(txn, load_host, l, e);
    if (rc == 0)
        rc = initiator_row_each(txn, load_initiator, l, e);
    if (rc == 0)
        rc = auth_row_each(txn, load_auth, l, e);
    if (rc == 0)
        rc = qos_row_each(txn, QOS_OF_HOST, load_host_qos, l, e);
    if (rc == 0)
        rc = mapping_row_each(txn, load_mapping, l, e);
    if (rc == 0)
        rc = token_row_each(txn, load_token, l, e);
    return rc != 0 ? rc : job_row_each(txn, load_job, l, e);
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
    m->generation = ++box.generation;
    return box_set(txn, &box, e);
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
                 " lost=%llu miscounted=%llu",
                 pool->name, (unsigned long long)report->named_extents,
                 (unsigned long long)report->leaked_extents,
                 (unsigned long long)report->double_extents,
                 (unsigned long long)report->lost_extents,
                 (unsigned long long)report->miscounted_extents);
    }
}

/* A sanitize goes before a wipe, which then waits for the volume's next growth. */
static void resume_volume(struct volume *v)
{
    if (volume_sanitize_state(v, NULL) == SANITIZE_RUNNING)
        sanitize_resume(v);
    else if (!pool_is_failed(v->pool))
        wipe_resume(v);
}

/* Drops, merges, wipes and sanitizes that were under way, or were to be, go on. */
static void resume_layers(struct load *l)
{
    for (struct volume *v = NULL; (v = volume_next(l->m, v)) != NULL;)
        resume_volume(v);
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
    if (rc == 0) /* no copy of the catalog from before goes with the devices now */
        rc = catalog_raise_wait(m->options.catalog, e);
    l.e = e;
    for (struct pool *pool = NULL; rc == 0 && (pool = pool_next(m, pool)) != NULL;) {
        round_start(pool);
        if (m->was_clean || pool_is_failed(pool))
            continue;
        atomic_fetch_add(&pool->check_count, 1);
        map_check_start(pool, true, NULL, loop_inbox(m->home), log_leaks, pool);
    }
    if (rc == 0)
        resume_layers(&l);
    for (size_t i = 0; !l.snapshots_adopted && i < l.snapshot_count; i++)
        volume_put(l.snapshots[i]);
    free(l.layers);
    free(l.snapshots);
    return rc;
}

/* ---- Away
 * --------------------------------------------------------------------------------------
 */

/* With its snapshots. */
static void volume_free_all(struct volume *v)
{
    for (struct volume *s; (s = v->first_snapshot) != NULL;) {
        snapshot_detach(s);
        volume_put(s);
    }
    volume_set_base(v, NULL);
    volume_put(v);
}

void load_free(struct lunmgr *m)
{
    jobs_free(m);
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
        volume_free_all(v);
    }
    for (struct volume *v; (v = volume_trash_next(m, NULL)) != NULL;) {
        index_remove(&m->trash, v->id, v->id);
        volume_free_all(v);
    }
    for (struct pool *pool; (pool = pool_next(m, NULL)) != NULL;) {
        index_remove(&m->pools, pool->name, pool->id);
        for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
            stamps_remove(m, d);
        pool_free(pool);
    }
    index_fini(&m->mappings);
    index_fini(&m->hosts);
    index_fini(&m->tokens);
    index_fini(&m->volumes);
    index_fini(&m->snapshots);
    index_fini(&m->trash);
    index_fini(&m->pools);
}
