/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings: a volume or a snapshot shown to a host under a LUN. Of two that take the same
 * LUN at once the catalog refuses the second. */
#include "lunmgr/host_priv.h"
#include "lunmgr/op.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/snapshot.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct mapping_op {
    struct op op;
    struct mapping *mapping; /* NULL also in a dry run of a deletion */
    char id[CATALOG_ID_MAX];
    bool reserved;
    uint16_t lun_max; /* the host's */
    union {
        mapping_done_fn created;
        done_fn deleted;
    } done;
    void *arg;
};

static struct mapping_op *mapping_op_of(struct op *op)
{
    return container_of(op, struct mapping_op, op);
}

/* In the order of hosts: a comma sorts before every byte of a name. */
static void mapping_set_key(struct mapping *mp)
{
    bool own = mp->row.own_target;
    snprintf(mp->key, sizeof(mp->key), "%s,%05u%s%s", mp->host->row.name, mp->row.lun,
             own ? "," : "", own ? mp->row.id : "");
}

struct mapping *mapping_new(const struct mapping_row *row, struct volume *volume,
                            struct host *host)
{
    struct mapping *mp = calloc(1, sizeof(*mp));
    if (mp == NULL)
        return NULL;
    mp->row = *row;
    mp->volume = volume;
    mp->host = host;
    mapping_set_key(mp);
    volume_get(volume);
    volume->mapping_count++;
    host->mapping_count++;
    return mp;
}

void mapping_free(struct mapping *mp)
{
    if (mp == NULL)
        return;
    mp->volume->mapping_count--;
    mp->host->mapping_count--;
    volume_put(mp->volume);
    free(mp);
}

void mapping_rekey(struct lunmgr *m, const struct host *host)
{
    struct mapping *next;
    for (struct mapping *mp = mapping_next(m, NULL); mp != NULL; mp = next) {
        next = mapping_next(m, mp);
        if (mp->host != host)
            continue;
        index_remove_for_now(&m->mappings, mp->key, mp->row.id);
        mapping_set_key(mp);
        index_add(&m->mappings, mp->key, mp->row.id, mp);
    }
}

/* ---- Creating -------------------------------------------------------------------- */

static void mapping_created(struct op *op)
{
    struct mapping_op *mo = mapping_op_of(op);
    bool good = op->job.rc == 0;
    if (!good && mo->reserved)
        index_unreserve(&op->manager->mappings);
    if (!good)
        mapping_free(mo->mapping);
    mo->done.created(mo->arg, good ? mo->mapping : NULL, op_outcome(op));
    op_free(op);
}

static void mapping_adopt(struct op *op)
{
    struct mapping *mp = mapping_op_of(op)->mapping;
    if (op->job.rc != 0) {
        mapping_created(op);
        return;
    }
    mapping_set_key(mp); /* the LUN may have been chosen there */
    index_add(&op->manager->mappings, mp->key, mp->row.id, mp);
    op_settle(op, mapping_created);
}

struct lun_search {
    const char *host_id;
    uint32_t next; /* all below are taken */
};

/* Rows of one host come in order of LUN. */
static int lun_search_row(const struct mapping_row *row, void *arg)
{
    struct lun_search *s = arg;
    if (!row->own_target && strcmp(row->host_id, s->host_id) == 0 && row->lun == s->next)
        s->next++;
    return 0;
}

/* The lowest LUN that the host does not have at the shared target. On the writer, where
 * two that ask at once come one after the other. */
static int lun_choose(struct catalog_txn *txn, struct mapping_row *row, uint16_t lun_max,
                      struct err *e)
{
    struct lun_search s = {.host_id = row->host_id};
    int rc = mapping_row_each(txn, lun_search_row, &s, e);
    if (rc == 0 && s.next > lun_max)
        rc = err_set(e, -ENOSPC, "lun", "this host has no free LUN");
    if (rc == 0)
        row->lun = (uint16_t)s.next;
    return rc;
}

static int mapping_create_work(struct catalog_txn *txn, struct catalog_job *job,
                               struct err *e)
{
    struct mapping_op *mo = container_of(job, struct mapping_op, op.job);
    struct mapping_row *row = &mo->mapping->row;
    int rc = row->lun == LUN_ANY ? lun_choose(txn, row, mo->lun_max, e) : 0;
    return rc != 0 ? rc : mapping_row_add(txn, row, e);
}

static int mapping_spec_check(struct lunmgr *m, const struct mapping_spec *spec,
                              struct volume **volume, struct host **host, struct err *e)
{
    const char *kind = spec->snapshot != NULL ? "snapshot" : "volume";
    const char *name = spec->snapshot != NULL ? spec->snapshot : spec->volume;
    *volume = spec->snapshot != NULL ? snapshot_find(m, name) : volume_find(m, name);
    if (*volume == NULL || (*volume)->deleting)
        return err_set(e, -ENOENT, kind, "there is no %s %s", kind, name);
    *host = host_find(m, spec->host);
    if (*host == NULL || (*host)->deleting)
        return err_set(e, -ENOENT, "host", "there is no host %s", spec->host);
    if (spec->lun > LUN_MAX && spec->lun != LUN_ANY)
        return err_set(e, -EINVAL, "lun", "0 to %d is wanted", LUN_MAX);
    if ((*host)->profile_changing)
        return err_set(e, -EBUSY, "host", "host %s is being changed", spec->host);
    return profile_takes_unit((*host)->profile, (*volume)->block_bytes,
                              spec->lun == LUN_ANY ? 0 : spec->lun, e);
}

void mapping_create(struct lunmgr *m, const struct mapping_spec *spec,
                    mapping_done_fn done, void *arg)
{
    struct mapping_op *mo = op_new(m, sizeof(*mo), mapping_created);
    struct err *e = op_err(&mo->op);
    struct volume *volume = NULL;
    struct host *host = NULL;
    struct mapping_row row = {.own_target = spec->own_target, .created_s = now_s()};
    mo->done.created = done;
    mo->arg = arg;
    int rc = mapping_spec_check(m, spec, &volume, &host, e);
    if (rc == 0) {
        id_make(row.id);
        op_about(&mo->op, row.id);
        mo->lun_max = host->profile->lun_max;
        row.lun = spec->own_target && spec->lun == LUN_ANY ? 0 : spec->lun;
        row.read_only = spec->read_only || volume_is_snapshot(volume);
        memcpy(row.volume_id, volume->id, sizeof(row.volume_id));
        memcpy(row.host_id, host->row.id, sizeof(row.host_id));
        mo->mapping = mapping_new(&row, volume, host);
        mo->reserved = mo->mapping != NULL && index_reserve(&m->mappings) == 0;
        rc = mo->reserved ? 0 : err_oom(e);
    }
    if (rc != 0)
        op_end(&mo->op, rc);
    else
        op_write(&mo->op, mapping_create_work, mapping_adopt);
}

/* ---- Deleting -------------------------------------------------------------------- */

static void mapping_deleted(struct op *op)
{
    struct mapping_op *mo = mapping_op_of(op);
    if (op->job.rc != 0 && mo->mapping != NULL)
        mo->mapping->deleting = false;
    else
        mapping_free(mo->mapping);
    mo->done.deleted(mo->arg, op_outcome(op));
    op_free(op);
}

static void mapping_row_gone(struct op *op)
{
    struct mapping *mp = mapping_op_of(op)->mapping;
    if (op->job.rc != 0) {
        mapping_deleted(op);
        return;
    }
    index_remove(&op->manager->mappings, mp->key, mp->row.id);
    op_settle(op, mapping_deleted);
}

static int mapping_delete_work(struct catalog_txn *txn, struct catalog_job *job,
                               struct err *e)
{
    return mapping_row_remove(txn, container_of(job, struct mapping_op, op.job)->id, e);
}

void mapping_delete(struct lunmgr *m, const char *id_or_pair, done_fn done, void *arg)
{
    struct mapping_op *mo = op_new(m, sizeof(*mo), mapping_deleted);
    mo->done.deleted = done;
    mo->arg = arg;
    struct mapping *mp = mapping_find(m, id_or_pair);
    if (mp == NULL || mp->deleting) {
        op_end(&mo->op, err_set(op_err(&mo->op), -ENOENT, "mapping",
                                "there is no mapping %s", id_or_pair));
        return;
    }
    if (!op_is_dry(&mo->op)) {
        mp->deleting = true;
        mo->mapping = mp;
    }
    memcpy(mo->id, mp->row.id, sizeof(mo->id));
    op_about(&mo->op, mo->id);
    op_write(&mo->op, mapping_delete_work, mapping_row_gone);
}

/* ---- Reading --------------------------------------------------------------------- */

static bool mapping_is_pair(const struct mapping *mp, const char *pair)
{
    const struct volume *v = mp->volume;
    const char *name = volume_is_snapshot(v) ? v->key : v->name;
    size_t n = strlen(name);
    return strncmp(name, pair, n) == 0 && pair[n] == '/' &&
           strcmp(mp->host->row.name, pair + n + 1) == 0;
}

struct mapping *mapping_find(struct lunmgr *m, const char *id_or_pair)
{
    if (strchr(id_or_pair, '/') == NULL)
        return index_find_id(&m->mappings, id_or_pair);
    struct mapping *mp = mapping_next(m, NULL);
    while (mp != NULL && !mapping_is_pair(mp, id_or_pair))
        mp = mapping_next(m, mp);
    return mp;
}

struct mapping *mapping_next(struct lunmgr *m, const struct mapping *prev)
{
    return index_next(&m->mappings, prev == NULL ? NULL : prev->key);
}

struct mapping *mapping_walk(struct lunmgr *m, struct row_walk *walk)
{
    return index_walk(&m->mappings, walk);
}

void mapping_key(const struct mapping *mp, char key[MAPPING_KEY_MAX])
{
    memcpy(key, mp->key, MAPPING_KEY_MAX);
}

void mapping_describe(const struct mapping *mp, struct mapping_info *out)
{
    *out = (struct mapping_info){
        .lun = mp->row.lun,
        .read_only = mp->row.read_only,
        .own_target = mp->row.own_target,
        .created_s = mp->row.created_s,
    };
    const struct volume *shown = mp->volume;
    const struct volume *volume = volume_is_snapshot(shown) ? shown->of : shown;
    memcpy(out->id, mp->row.id, sizeof(out->id));
    memcpy(out->volume_id, volume->id, sizeof(out->volume_id));
    memcpy(out->volume_name, volume->name, sizeof(out->volume_name));
    if (volume != shown) {
        memcpy(out->snapshot_id, shown->id, sizeof(out->snapshot_id));
        memcpy(out->snapshot_name, shown->name, sizeof(out->snapshot_name));
    }
    memcpy(out->host_id, mp->host->row.id, sizeof(out->host_id));
    memcpy(out->host_name, mp->host->row.name, sizeof(out->host_name));
}

struct volume *mapping_volume(const struct mapping *mp)
{
    return mp->volume;
}

struct host *mapping_host(const struct mapping *mp)
{
    return mp->host;
}
