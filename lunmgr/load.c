/* SPDX-License-Identifier: Apache-2.0 */
/* Loading the records of the catalog at start: pools with all that is theirs
 * (load_pool.c), hosts, mappings, tokens, jobs. Before any other thread but the catalog's
 * runs. */
#include "lunmgr/load.h"

#include "base/log.h"
#include "lunmgr/host_priv.h"
#include "lunmgr/load_pool.h"
#include "lunmgr/op.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct load {
    struct lunmgr *m;
    struct pool_load pools;
    struct err *e;
};

/* ---- Rows ------------------------------------------------------------------------ */

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

static int load_port_group(uint16_t tag, const struct alua_access *access, void *arg)
{
    struct load *l = arg;
    return port_groups_load(&l->m->port_groups, tag, access) != 0 ? err_oom(l->e) : 0;
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

static int load_hosts(struct catalog_txn *txn, struct load *l, struct err *e)
{
    int rc = host_row_each(txn, load_host, l, e);
    if (rc == 0)
        rc = initiator_row_each(txn, load_initiator, l, e);
    if (rc == 0)
        rc = auth_row_each(txn, load_auth, l, e);
    if (rc == 0)
        rc = qos_row_each(txn, QOS_OF_HOST, load_host_qos, l, e);
    return rc != 0 ? rc : mapping_row_each(txn, load_mapping, l, e);
}

static int load_work(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct load *l = arg;
    uint32_t next = 1;
    l->e = e;
    int rc = layer_next_id(txn, &next, e);
    atomic_store(&l->m->last_layer_id, next - 1);
    if (rc == 0)
        rc = pool_load_rows(txn, &l->pools, e);
    if (rc == 0)
        rc = load_hosts(txn, l, e);
    if (rc == 0)
        rc = port_group_row_each(txn, load_port_group, l, e);
    if (rc == 0)
        rc = token_row_each(txn, load_token, l, e);
    return rc != 0 ? rc : job_row_each(txn, load_job, l, e);
}

static int open_by_row(struct pool_load *l, const struct device_row *row,
                       struct device **out, struct err *e)
{
    (void)l;
    return device_open(row, out, e);
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

/* Rounds, the check after an unclean stop, and what was under way. */
static void start_pools(struct load *l)
{
    struct lunmgr *m = l->m;
    for (struct pool *pool = NULL; (pool = pool_next(m, pool)) != NULL;) {
        round_start(pool);
        if (m->was_clean || pool_is_failed(pool))
            continue;
        atomic_fetch_add(&pool->check_count, 1);
        map_check_start(pool, true, NULL, loop_inbox(m->home), log_leaks, pool);
    }
    for (struct volume *v = NULL; (v = volume_next(m, v)) != NULL;)
        volume_resume(v);
    pool_load_look(&l->pools);
}

/* Those that serve follow the catalog's generation. */
static void stamp_devices(struct lunmgr *m)
{
    for (struct pool *pool = NULL; (pool = pool_next(m, pool)) != NULL;)
        for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
            if (!device_is_failed(d))
                stamps_add(m, d);
}

int load_all(struct lunmgr *m, struct err *e)
{
    struct load l = {.m = m,
                     .pools = {.m = m,
                               .pools = &m->pools,
                               .volumes = &m->volumes,
                               .snapshots = &m->snapshots,
                               .trash = &m->trash,
                               .open = open_by_row}};
    int rc = catalog_write_wait(m->options.catalog, claim_box, m, e);
    if (rc == 0)
        rc = catalog_read_wait(m->options.catalog, load_work, &l, e);
    stamp_devices(m);
    if (rc == 0) /* no copy of the catalog from before goes with the devices now */
        rc = catalog_raise_wait(m->options.catalog, e);
    if (rc == 0)
        start_pools(&l);
    pool_load_fini(&l.pools);
    return rc;
}

/* ---- Away
 * --------------------------------------------------------------------------------------
 */

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
        volume_unload(v);
    }
    for (struct volume *v; (v = volume_trash_next(m, NULL)) != NULL;) {
        index_remove(&m->trash, v->id, v->id);
        volume_unload(v);
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
