/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: making and deleting them, and how they are found. The instant itself is
 * seal.c's. */
#include "lunmgr/snapshot.h"

#include "lunmgr/label.h"
#include "lunmgr/op.h"
#include "lunmgr/seal.h"
#include "lunmgr/volume_io.h"
#include "lunmgr/volume_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Belonging to a volume ------------------------------------------------------- */

void snapshot_set_key(struct volume *s)
{
    snprintf(s->key, sizeof(s->key), "%s/%s", s->of->name, s->name);
}

void snapshot_attach(struct volume *s, struct volume *of)
{
    s->of = of;
    s->prev_snapshot = of->last_snapshot;
    s->next_snapshot = NULL;
    if (of->last_snapshot != NULL)
        of->last_snapshot->next_snapshot = s;
    else
        of->first_snapshot = s;
    of->last_snapshot = s;
    of->snapshot_count++;
}

void snapshot_detach(struct volume *s)
{
    struct volume *of = s->of;
    if (s->prev_snapshot != NULL)
        s->prev_snapshot->next_snapshot = s->next_snapshot;
    else
        of->first_snapshot = s->next_snapshot;
    if (s->next_snapshot != NULL)
        s->next_snapshot->prev_snapshot = s->prev_snapshot;
    else
        of->last_snapshot = s->prev_snapshot;
    of->snapshot_count--;
}

/* ---- Snapshots to be ------------------------------------------------------------- */

int snapshot_name_check(struct volume *volume, const char *name, const char *field,
                        struct err *e)
{
    struct lunmgr *m = volume->manager;
    char key[SNAPSHOT_KEY_MAX];
    int rc = name_check(name, field, e);
    if (rc != 0)
        return rc;
    snprintf(key, sizeof(key), "%s/%s", volume->name, name);
    bool taken = snapshot_find(m, key) != NULL;
    for (struct volume *s = m->snapshots_due; !taken && s != NULL; s = s->next_snapshot)
        taken = s->of == volume && strcmp(s->name, name) == 0;
    return taken ? err_set(e, -EEXIST, field, "volume %s has a snapshot %s already",
                           volume->name, name)
                 : 0;
}

struct volume *snapshot_prepare(struct volume *volume, const char *name,
                                const char *group, struct volume_row *row, struct err *e)
{
    struct lunmgr *m = volume->manager;
    volume_row_begin(row, volume->pool, name);
    row->kind = VOLUME_SNAPSHOT;
    row->size_bytes = volume_size_bytes(volume);
    row->block_bytes = volume->block_bytes;
    row->physical_bytes = volume->physical_bytes;
    memcpy(row->origin, volume->id, sizeof(row->origin));
    snprintf(row->group, sizeof(row->group), "%s", group);
    struct volume *s = volume_new(volume->pool, row);
    if (s == NULL || index_reserve(&m->snapshots) != 0) {
        volume_put(s);
        err_oom(e);
        return NULL;
    }
    s->of = volume;
    s->next_snapshot = m->snapshots_due;
    m->snapshots_due = s;
    return s;
}

static void snapshot_is_not_due(struct volume *s)
{
    struct volume **link = &s->manager->snapshots_due;
    while (*link != s)
        link = &(*link)->next_snapshot;
    *link = s->next_snapshot;
}

void snapshot_publish(struct volume *s, uint64_t naa_serial)
{
    snapshot_is_not_due(s);
    volume_identify(s, naa_serial);
    snapshot_attach(s, s->of);
    snapshot_set_key(s);
    index_add(&s->manager->snapshots, s->key, s->id, s);
}

void snapshot_discard(struct volume *s)
{
    snapshot_is_not_due(s);
    index_unreserve(&s->manager->snapshots);
}

/* ---- Making ---------------------------------------------------------------------- */

struct snapshot_op {
    struct op op;
    struct seal *seal;
    size_t pinned; /* parts whose volume is pinned */
    snapshot_done_fn done;
    void *arg;
    size_t count;
    uint32_t order[SNAPSHOT_VOLUMES_MAX]; /* of the asker: parts by volume id */
};

static struct snapshot_op *snapshot_op_of(struct op *op)
{
    return container_of(op, struct snapshot_op, op);
}

static void snapshot_end(struct op *op)
{
    struct snapshot_op *so = snapshot_op_of(op);
    struct volume *made[SNAPSHOT_VOLUMES_MAX];
    bool good = op->job.rc == 0;
    assert(!good || so->seal != NULL);
    for (size_t i = 0; so->seal != NULL && i < so->seal->count; i++) {
        struct seal_part *part = &so->seal->parts[i];
        if (i < so->pinned && !so->seal->is_abandoned)
            volume_unpin(part->volume);
        if (good)
            snapshot_publish(part->snapshot, part->row.naa_serial);
        else if (part->snapshot != NULL)
            snapshot_discard(part->snapshot);
    }
    for (size_t i = 0; good && i < so->count; i++)
        made[i] = so->seal->parts[so->order[i]].snapshot;
    so->done(so->arg, good ? made : NULL, good ? so->count : 0, op_outcome(op));
    if (so->seal != NULL && !so->seal->is_abandoned) {
        for (size_t i = 0; good && i < so->count; i++)
            so->seal->parts[i].snapshot = NULL; /* the index has them */
        seal_free(so->seal);
    }
    op_free(op);
}

static void snapshot_on_undone(struct seal *seal)
{
    for (size_t i = 0; i < seal->count; i++)
        volume_unpin(seal->parts[i].volume);
}

static int snapshot_refuse_failed(struct err *e, int rc)
{
    return err_set(e, rc, NULL,
                   "the snapshot could not be made durable: the pool's device or the "
                   "catalog failed");
}

static void snapshot_on_sealed(struct seal *seal)
{
    struct snapshot_op *so = seal->arg;
    if (seal->is_refused)
        *op_err(&so->op) = seal->err;
    else if (seal->rc != 0)
        (void)snapshot_refuse_failed(op_err(&so->op), seal->rc);
    so->op.job.rc = seal->rc;
    op_return(&so->op);
}

static void snapshot_at_home(struct op *op)
{
    seal_start(snapshot_op_of(op)->seal);
}

static int snapshot_try_work(struct catalog_txn *txn, struct catalog_job *job,
                             struct err *e)
{
    return seal_try(txn, container_of(job, struct snapshot_op, op.job)->seal, e);
}

/* A dry run's end. */
static void snapshot_try(struct snapshot_op *so)
{
    int rc = 0;
    if (pool_is_failed(so->seal->pool))
        rc = snapshot_refuse_failed(op_err(&so->op), -EIO);
    if (rc == 0)
        rc = seal_has_room(so->seal, op_err(&so->op));
    if (rc != 0)
        op_end(&so->op, rc);
    else
        op_write(&so->op, snapshot_try_work, snapshot_end);
}

static int volume_id_order(const void *a, const void *b)
{
    return strcmp(((const struct seal_part *)a)->volume->id,
                  ((const struct seal_part *)b)->volume->id);
}

/* The volumes that spec names, all of one pool, each once, into the parts. */
static int snapshot_volumes(struct snapshot_op *so, const struct snapshot_spec *spec,
                            struct err *e)
{
    struct seal *seal = so->seal;
    char field[ERR_FIELD_MAX];
    for (size_t i = 0; i < spec->volume_count; i++) {
        struct volume *v = volume_find(so->op.manager, spec->volumes[i]);
        if (spec->volume_count == 1 && !spec->group)
            snprintf(field, sizeof(field), "volume");
        else
            snprintf(field, sizeof(field), "volumes/%zu", i);
        if (v == NULL || v->deleting)
            return err_set(e, -ENOENT, field, "there is no volume %s", spec->volumes[i]);
        if (i > 0 && v->pool != seal->parts[0].volume->pool)
            return err_set(e, -EINVAL, field,
                           "volumes of one instant are of one pool: %s is in %s, not %s",
                           v->name, v->pool->name, seal->parts[0].volume->pool->name);
        for (size_t j = 0; j < i; j++)
            if (seal->parts[j].volume == v)
                return err_set(e, -EINVAL, field, "volume %s is there twice", v->name);
        seal->parts[seal->count++].volume = v;
    }
    return 0;
}

static int part_prepare(struct seal_part *part, const struct snapshot_spec *spec,
                        const char *group, struct err *e)
{
    struct volume *v = part->volume;
    int rc = snapshot_name_check(v, spec->name, "name", e);
    if (rc == 0)
        rc = volume_cleared(v, e);
    if (rc != 0)
        return rc;
    part->snapshot = snapshot_prepare(v, spec->name, group, &part->row, e);
    part->fresh = layer_create(v->pool, extents_for(volume_size_bytes(v)), 0);
    bool room = part->snapshot != NULL && part->fresh != NULL &&
                labels_set(part->snapshot, spec->labels) == 0;
    return room ? 0 : err_oom(e);
}

static int snapshot_prepare_all(struct snapshot_op *so, const struct snapshot_spec *spec,
                                struct err *e)
{
    struct seal *seal = so->seal;
    char group[CATALOG_ID_MAX] = "";
    if (spec->group || spec->volume_count > 1)
        id_make(group);
    int rc = snapshot_volumes(so, spec, e);
    if (rc == 0)
        rc = labels_check(spec->labels, e);
    if (rc != 0)
        return rc;
    seal->pool = seal->parts[0].volume->pool;
    qsort(seal->parts, seal->count, sizeof(seal->parts[0]), volume_id_order);
    for (size_t i = 0; rc == 0 && i < seal->count; i++) {
        rc = volume_pin(seal->parts[i].volume, e);
        so->pinned += rc == 0;
        if (rc == 0)
            rc = part_prepare(&seal->parts[i], spec, group, e);
    }
    for (size_t i = 0; rc == 0 && i < spec->volume_count; i++) {
        struct volume *v = volume_find(so->op.manager, spec->volumes[i]);
        while (seal->parts[so->order[i]].volume != v)
            so->order[i]++;
    }
    if (rc == 0)
        op_about(&so->op, group[0] != '\0' ? group : seal->parts[0].row.id);
    return rc;
}

void snapshot_create(struct lunmgr *m, const struct snapshot_spec *spec,
                     snapshot_done_fn done, void *arg)
{
    struct snapshot_op *so = op_new(m, sizeof(*so), snapshot_end);
    struct err *e = op_err(&so->op);
    so->done = done;
    so->arg = arg;
    so->count = spec->volume_count;
    int rc = 0;
    if (spec->volume_count == 0 || spec->volume_count > SNAPSHOT_VOLUMES_MAX)
        rc = err_set(e, -EINVAL, "volumes", "1 to %d volumes", SNAPSHOT_VOLUMES_MAX);
    if (rc == 0) {
        so->seal = calloc(1, sizeof(*so->seal) +
                                 spec->volume_count * sizeof(so->seal->parts[0]));
        rc = so->seal == NULL ? err_oom(e) : 0;
    }
    if (rc == 0)
        rc = snapshot_prepare_all(so, spec, e);
    if (rc != 0) {
        op_end(&so->op, rc);
        return;
    }
    so->seal->record = so->op.record;
    so->seal->fence = FENCE_WRITES;
    so->seal->done = snapshot_on_sealed;
    so->seal->undone = snapshot_on_undone;
    so->seal->arg = so;
    if (op_is_dry(&so->op))
        snapshot_try(so);
    else
        op_at_home(&so->op, snapshot_at_home, snapshot_end);
}

/* ---- Deleting -------------------------------------------------------------------- */

struct unsnap_op {
    struct op op;
    struct volume *snapshot; /* being changed */
    done_fn done;
    void *arg;
};

static struct unsnap_op *unsnap_op_of(struct op *op)
{
    return container_of(op, struct unsnap_op, op);
}

static void unsnap_end(struct op *op)
{
    struct unsnap_op *uo = unsnap_op_of(op);
    if (uo->snapshot != NULL && op->job.rc != 0) {
        uo->snapshot->deleting = false;
        volume_change_end(uo->snapshot);
    }
    uo->done(uo->arg, op_outcome(op));
    op_free(op);
}

static void unsnap_at_home(struct op *op)
{
    struct layer *layer = volume_top(unsnap_op_of(op)->snapshot);
    layer->volume = NULL;
    layer_look(layer);
    op_return(op);
}

static void unsnap_free(struct op *op)
{
    struct unsnap_op *uo = unsnap_op_of(op);
    volume_put(uo->snapshot);
    uo->snapshot = NULL;
    unsnap_end(op);
}

static void unsnap_committed(struct op *op)
{
    struct volume *s = unsnap_op_of(op)->snapshot;
    if (op->job.rc != 0) {
        unsnap_end(op);
        return;
    }
    index_remove(&op->manager->snapshots, s->key, s->id);
    snapshot_detach(s);
    rods_revoke(s);
    op_at_home(op, unsnap_at_home, unsnap_free);
}

static int unsnap_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    return volume_row_remove(
        txn, container_of(job, struct unsnap_op, op.job)->snapshot->id, e);
}

static int unsnap_check(struct volume *s, const char *key_or_id, struct err *e)
{
    if (s == NULL || s->deleting)
        return err_set(e, -ENOENT, "snapshot", "there is no snapshot %s", key_or_id);
    if (s->mapping_count > 0)
        return err_set(e, -EBUSY, "snapshot",
                       "snapshot %s is mapped to %u hosts: unmap it first", s->key,
                       s->mapping_count);
    int rc = volume_unprotected(s, "snapshot", e);
    return rc != 0 ? rc : volume_change_begin(s, e);
}

void snapshot_delete(struct lunmgr *m, const char *key_or_id, done_fn done, void *arg)
{
    struct unsnap_op *uo = op_new(m, sizeof(*uo), unsnap_end);
    struct volume *s = snapshot_find(m, key_or_id);
    uo->done = done;
    uo->arg = arg;
    int rc = unsnap_check(s, key_or_id, op_err(&uo->op));
    if (rc != 0) {
        op_end(&uo->op, rc);
        return;
    }
    s->deleting = !op_is_dry(&uo->op);
    uo->snapshot = s;
    op_about(&uo->op, s->id);
    op_write(&uo->op, unsnap_work, unsnap_committed);
}

/* ---- Reading --------------------------------------------------------------------- */

struct volume *snapshot_find(struct lunmgr *m, const char *key_or_id)
{
    return index_find(&m->snapshots, key_or_id);
}

struct volume *snapshot_next(struct lunmgr *m, const struct volume *prev)
{
    return index_next(&m->snapshots, prev == NULL ? NULL : prev->key);
}

struct volume *snapshot_walk(struct lunmgr *m, struct row_walk *walk)
{
    return index_walk(&m->snapshots, walk);
}

struct volume *volume_snapshot_next(const struct volume *volume,
                                    const struct volume *prev)
{
    return prev == NULL ? volume->first_snapshot : prev->next_snapshot;
}

size_t snapshot_count(const struct lunmgr *m)
{
    return m->snapshots.count;
}

void snapshot_key(const struct volume *snapshot, char key[SNAPSHOT_KEY_MAX])
{
    memcpy(key, snapshot->key, SNAPSHOT_KEY_MAX);
}

void snapshot_describe(const struct volume *s, struct snapshot_info *out)
{
    struct volume_info info;
    volume_describe(s, &info);
    *out = (struct snapshot_info){
        .size_bytes = info.size_bytes,
        .block_bytes = info.block_bytes,
        .physical_bytes = info.physical_bytes,
        .allocated_bytes = info.allocated_bytes,
        .used_bytes = info.used_bytes,
        .unique_bytes = info.unique_bytes,
        .shared_bytes = info.shared_bytes,
        .created_s = info.created_s,
        .mapping_count = info.mapping_count,
        .clone_count = s->clone_count,
        .is_protected = info.is_protected,
        .labels = info.labels,
    };
    memcpy(out->id, s->id, sizeof(out->id));
    memcpy(out->name, s->name, sizeof(out->name));
    memcpy(out->volume_id, s->of->id, sizeof(out->volume_id));
    memcpy(out->volume_name, s->of->name, sizeof(out->volume_name));
    memcpy(out->pool_id, info.pool_id, sizeof(out->pool_id));
    memcpy(out->pool_name, info.pool_name, sizeof(out->pool_name));
    memcpy(out->group_id, s->group, sizeof(out->group_id));
    memcpy(out->naa, info.naa, sizeof(out->naa));
    memcpy(out->serial, info.serial, sizeof(out->serial));
}
