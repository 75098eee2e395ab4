/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes on their way out: into the trash with their snapshots, back from it, or gone
 * for good. The trash lets go what has been there for its time. Control thread. */
#include "lunmgr/guarantee.h"
#include "lunmgr/op.h"
#include "lunmgr/volume_priv.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#define TRASH_RETRY_S 60 /* what could not be purged is tried again */

struct trash_op {
    struct op op;
    struct volume *volume; /* being changed, and all its snapshots */
    int64_t trashed_s;
    char name[CATALOG_NAME_MAX]; /* restore: its new one */
    size_t reserved_snapshots;
    struct index *reserved;
    union {
        volume_done_fn restored;
        done_fn deleted;
    } done;
    void *arg;
};

static struct trash_op *trash_op_of(struct op *op)
{
    return container_of(op, struct trash_op, op);
}

/* ---- A volume and its snapshots, as one ------------------------------------------ */

/* The volume's to, but not its own, snapshots from the oldest on: up to `last`, NULL all.
 */
static void whole_end(struct volume *v, const struct volume *last)
{
    for (struct volume *s = v->first_snapshot; s != last; s = s->next_snapshot)
        volume_change_end(s);
    volume_change_end(v);
    v->deleting = false;
}

static int snapshot_free_to_go(struct volume *s, struct err *e)
{
    if (s->mapping_count > 0)
        return err_set(e, -EBUSY, "volume", "its snapshot %s is mapped: unmap it first",
                       s->name);
    int rc = volume_unprotected(s, "volume", e);
    return rc != 0 ? rc : volume_change_begin(s, e);
}

/* Nothing else can be done with any of them until whole_end. */
static int whole_begin(struct volume *v, struct err *e)
{
    if (v->mapping_count > 0)
        return err_set(e, -EBUSY, "volume",
                       "volume %s is mapped to %u hosts: unmap it first", v->name,
                       v->mapping_count);
    int rc = volume_unprotected(v, "volume", e);
    if (rc == 0)
        rc = volume_change_begin(v, e);
    if (rc != 0)
        return rc;
    for (struct volume *s = v->first_snapshot; s != NULL; s = s->next_snapshot) {
        rc = snapshot_free_to_go(s, e);
        if (rc != 0) {
            whole_end(v, s);
            return rc;
        }
    }
    return 0;
}

static void snapshots_hide(struct volume *v)
{
    for (struct volume *s = v->first_snapshot; s != NULL; s = s->next_snapshot)
        index_remove(&v->manager->snapshots, s->key, s->id);
}

/* ---- For good -------------------------------------------------------------------- */

static void gone_end(struct op *op)
{
    struct trash_op *to = trash_op_of(op);
    if (to->reserved != NULL)
        index_unreserve(to->reserved);
    if (to->volume != NULL)
        whole_end(to->volume, NULL);
    to->done.deleted(to->arg, op_outcome(op));
    op_free(op);
}

/* All names first, so that nothing is merged that is to be dropped. */
static void gone_at_home(struct op *op)
{
    struct volume *v = trash_op_of(op)->volume;
    v->guaranteed_bytes = 0;
    guarantee_settle(v);
    volume_top(v)->volume = NULL;
    for (struct volume *s = v->first_snapshot; s != NULL; s = s->next_snapshot)
        volume_top(s)->volume = NULL;
    layer_look(volume_top(v));
    for (struct volume *s = v->last_snapshot; s != NULL; s = s->prev_snapshot)
        layer_look(volume_top(s));
    op_return(op);
}

static void gone_free(struct op *op)
{
    struct trash_op *to = trash_op_of(op);
    for (struct volume *s; (s = to->volume->first_snapshot) != NULL;) {
        snapshot_detach(s);
        volume_put(s);
    }
    volume_set_base(to->volume, NULL);
    volume_put(to->volume);
    to->volume = NULL;
    gone_end(op);
}

static void gone_committed(struct op *op)
{
    struct volume *v = trash_op_of(op)->volume;
    if (op->job.rc != 0) {
        gone_end(op);
        return;
    }
    if (v->trashed_s != 0) {
        index_remove(&op->manager->trash, v->id, v->id);
    } else {
        snapshots_hide(v);
        index_remove(&op->manager->volumes, v->name, v->id);
    }
    v->pool->volume_count--;
    v->pool->provisioned_bytes -= volume_size_bytes(v);
    for (struct volume *s = v->first_snapshot; s != NULL; s = s->next_snapshot)
        rods_revoke(s);
    rods_revoke(v);
    op_at_home(op, gone_at_home, gone_free);
}

static int gone_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct volume *v = container_of(job, struct trash_op, op.job)->volume;
    int rc = 0;
    for (struct volume *s = v->first_snapshot; rc == 0 && s != NULL; s = s->next_snapshot)
        rc = volume_row_remove(txn, s->id, e);
    return rc != 0 ? rc : volume_row_remove(txn, v->id, e);
}

/* ---- Into the trash -------------------------------------------------------------- */

static int trash_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct trash_op *to = container_of(job, struct trash_op, op.job);
    struct volume_row row;
    int rc = volume_row_get(txn, to->volume->id, &row, e);
    if (rc != 0)
        return rc;
    row.trashed_s = to->trashed_s;
    if (to->name[0] != '\0')
        memcpy(row.name, to->name, sizeof(row.name));
    return volume_row_change(txn, &row, e);
}

static void trashed(struct op *op)
{
    struct trash_op *to = trash_op_of(op);
    struct volume *v = to->volume;
    if (op->job.rc == 0) {
        snapshots_hide(v);
        index_remove(&op->manager->volumes, v->name, v->id);
        v->trashed_s = to->trashed_s;
        index_add(&op->manager->trash, v->id, v->id, v);
        to->reserved = NULL;
        trash_arm(op->manager);
    }
    gone_end(op);
}

static int delete_check(struct trash_op *to, struct volume *v, const char *name_or_id,
                        struct err *e)
{
    if (v == NULL || v->deleting)
        return err_set(e, -ENOENT, "volume", "there is no volume %s", name_or_id);
    int rc = whole_begin(v, e);
    if (rc == 0) {
        to->volume = v;
        v->deleting = !op_is_dry(&to->op);
    }
    op_about(&to->op, v->id);
    return rc;
}

void volume_delete(struct lunmgr *m, const char *name_or_id, bool purge, done_fn done,
                   void *arg)
{
    struct trash_op *to = op_new(m, sizeof(*to), gone_end);
    struct err *e = op_err(&to->op);
    to->done.deleted = done;
    to->arg = arg;
    int rc = delete_check(to, volume_find(m, name_or_id), name_or_id, e);
    bool keep = !purge && m->options.trash_retention_s > 0;
    if (rc == 0 && keep) {
        to->trashed_s = now_s();
        rc = index_reserve(&m->trash) != 0 ? err_oom(e) : 0;
        to->reserved = rc == 0 ? &m->trash : NULL;
    }
    if (rc != 0)
        op_end(&to->op, rc);
    else if (keep)
        op_write(&to->op, trash_work, trashed);
    else
        op_write(&to->op, gone_work, gone_committed);
}

/* ---- In the trash ---------------------------------------------------------------- */

struct volume *volume_trash_next(struct lunmgr *m, const struct volume *prev)
{
    return index_next(&m->trash, prev == NULL ? NULL : prev->id);
}

struct volume *volume_trash_walk(struct lunmgr *m, struct row_walk *walk)
{
    return index_walk(&m->trash, walk);
}

size_t volume_trash_count(const struct lunmgr *m)
{
    return m->trash.count;
}

struct volume *volume_trash_find(struct lunmgr *m, const char *name_or_id)
{
    struct volume *found = index_find_id(&m->trash, name_or_id);
    if (found != NULL)
        return found;
    for (struct volume *v = NULL; (v = volume_trash_next(m, v)) != NULL;) {
        if (strcmp(v->name, name_or_id) != 0)
            continue;
        if (found != NULL)
            return NULL; /* which one? */
        found = v;
    }
    return found;
}

void volume_purge(struct lunmgr *m, const char *name_or_id, done_fn done, void *arg)
{
    struct trash_op *to = op_new(m, sizeof(*to), gone_end);
    to->done.deleted = done;
    to->arg = arg;
    int rc =
        delete_check(to, volume_trash_find(m, name_or_id), name_or_id, op_err(&to->op));
    if (rc != 0)
        op_end(&to->op, rc);
    else
        op_write(&to->op, gone_work, gone_committed);
}

/* ---- Out of it ------------------------------------------------------------------- */

static void restore_end(struct op *op)
{
    struct trash_op *to = trash_op_of(op);
    bool good = op->job.rc == 0;
    for (; to->reserved_snapshots > 0; to->reserved_snapshots--)
        index_unreserve(&op->manager->snapshots);
    if (to->reserved != NULL)
        index_unreserve(to->reserved);
    if (to->volume != NULL)
        whole_end(to->volume, NULL);
    to->done.restored(to->arg, good ? to->volume : NULL, op_outcome(op));
    op_free(op);
}

static void restored(struct op *op)
{
    struct trash_op *to = trash_op_of(op);
    struct volume *v = to->volume;
    struct lunmgr *m = op->manager;
    if (op->job.rc == 0) {
        index_remove(&m->trash, v->id, v->id);
        v->trashed_s = 0;
        memcpy(v->name, to->name, sizeof(v->name));
        index_add(&m->volumes, v->name, v->id, v);
        to->reserved = NULL;
        to->reserved_snapshots = 0;
        for (struct volume *s = v->first_snapshot; s != NULL; s = s->next_snapshot) {
            snapshot_set_key(s);
            index_add(&m->snapshots, s->key, s->id, s);
        }
    }
    restore_end(op);
}

static int restore_check(struct trash_op *to, const char *name_or_id, const char *name,
                         struct err *e)
{
    struct lunmgr *m = to->op.manager;
    struct volume *v = volume_trash_find(m, name_or_id);
    if (v == NULL || v->deleting)
        return err_set(e, -ENOENT, "volume",
                       "there is no volume %s in the trash, or several: name its id",
                       name_or_id);
    if (name == NULL)
        name = v->name;
    int rc = name_check(name, "name", e);
    if (rc != 0)
        return rc;
    if (volume_find(m, name) != NULL)
        return err_set(e, -EEXIST, "name", "volume %s exists: give another name", name);
    rc = volume_change_begin(v, e);
    if (rc != 0)
        return rc;
    for (struct volume *s = v->first_snapshot; s != NULL; s = s->next_snapshot)
        s->is_changing = true; /* nobody finds them in the trash */
    v->deleting = !op_is_dry(&to->op);
    to->volume = v;
    op_about(&to->op, v->id);
    snprintf(to->name, sizeof(to->name), "%s", name);
    return 0;
}

static int restore_reserve(struct trash_op *to, struct err *e)
{
    struct lunmgr *m = to->op.manager;
    if (index_reserve(&m->volumes) != 0)
        return err_oom(e);
    to->reserved = &m->volumes;
    for (; to->reserved_snapshots < to->volume->snapshot_count; to->reserved_snapshots++)
        if (index_reserve(&m->snapshots) != 0)
            return err_oom(e);
    return 0;
}

void volume_restore(struct lunmgr *m, const char *name_or_id, const char *name,
                    volume_done_fn done, void *arg)
{
    struct trash_op *to = op_new(m, sizeof(*to), restore_end);
    struct err *e = op_err(&to->op);
    to->done.restored = done;
    to->arg = arg;
    int rc = restore_check(to, name_or_id, name, e);
    if (rc == 0)
        rc = restore_reserve(to, e);
    if (rc != 0)
        op_end(&to->op, rc);
    else
        op_write(&to->op, trash_work, restored);
}

/* ---- Time ------------------------------------------------------------------------ */

struct purge {
    struct lunmgr *manager;
    char id[CATALOG_ID_MAX], name[CATALOG_NAME_MAX];
};

static void trash_on_purged(void *arg, const struct err *e)
{
    struct purge *purge = arg;
    if (e == NULL) {
        news_volume_purged(purge->manager, purge->id, purge->name);
        trash_arm(purge->manager);
    }
    free(purge);
}

/* Without memory it is tried again later, as after any other failure. */
static void trash_purge(struct lunmgr *m, const struct volume *v)
{
    struct purge *purge = calloc(1, sizeof(*purge));
    if (purge == NULL)
        return;
    purge->manager = m;
    memcpy(purge->id, v->id, sizeof(purge->id));
    memcpy(purge->name, v->name, sizeof(purge->name));
    struct record record = {
        .audited = true, .who = "ashlard", .operation = "trash_purge"};
    memcpy(record.subject, v->name, sizeof(v->name));
    lunmgr_record_next(m, &record);
    volume_purge(m, v->id, trash_on_purged, purge);
}

static void trash_on_time(evutil_socket_t fd, short what, void *arg)
{
    struct lunmgr *m = arg;
    int64_t now = now_s();
    (void)fd;
    (void)what;
    for (struct volume *v = NULL; (v = volume_trash_next(m, v)) != NULL;)
        if (now - v->trashed_s >= (int64_t)m->options.trash_retention_s)
            trash_purge(m, v);
    trash_arm(m);
}

/* For the first that is due; what is overdue could not be purged and waits a while. */
void trash_arm(struct lunmgr *m)
{
    int64_t now = now_s(), first = INT64_MAX;
    for (struct volume *v = NULL; (v = volume_trash_next(m, v)) != NULL;) {
        int64_t left = v->trashed_s + (int64_t)m->options.trash_retention_s - now;
        left = left > 0 ? left : TRASH_RETRY_S;
        first = left < first ? left : first;
    }
    if (m->trash_timer == NULL || first == INT64_MAX)
        return;
    struct timeval after = {.tv_sec = first};
    event_add(m->trash_timer, &after);
}

int trash_start(struct lunmgr *m, struct err *e)
{
    m->trash_timer = event_new(loop_base(m->options.control), -1, 0, trash_on_time, m);
    if (m->trash_timer == NULL)
        return err_oom(e);
    struct timeval at_once = {.tv_sec = 0};
    event_add(m->trash_timer, &at_once); /* what became due while nobody ran */
    return 0;
}

void trash_stop(struct lunmgr *m)
{
    if (m->trash_timer != NULL)
        event_free(m->trash_timer);
    m->trash_timer = NULL;
}
