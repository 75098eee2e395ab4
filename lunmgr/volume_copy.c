/* SPDX-License-Identifier: Apache-2.0 */
/* The copy's job. Of a whole volume it is a copy of a snapshot "copy-" and the beginning
 * of the job's id, which it makes and removes: so it is of one moment, also when a
 * restart begins it anew. Its steps find what an earlier daemon has done of them. */
#include "lunmgr/volume_copy.h"

#include "base/log.h"
#include "lunmgr/copy.h"
#include "lunmgr/job_priv.h"
#include "lunmgr/lane_priv.h"
#include "lunmgr/op.h"
#include "lunmgr/snapshot.h"
#include "lunmgr/volume_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is copied between two looks whether the job is to stop. */
#define COPY_STEP_BYTES (16ULL << 20)

struct volume_copying {
    struct op op; /* its outcome is the job's */
    struct job *job;
    struct copy_row row;
    struct volume *source;     /* a snapshot or, of a range, a volume; pinned */
    struct volume *to;         /* pinned, where data or words are copied into it */
    char made[CATALOG_ID_MAX]; /* the snapshot that it made; "": none */
    bool is_clone;
    /* home loop */
    struct copy copy;
    struct vio flush;
    uint64_t length_bytes, done_bytes, shared_bytes;
};

static struct volume_copying *copying_of(struct op *op)
{
    return container_of(op, struct volume_copying, op);
}

static bool makes_volume(const struct volume_copying *vc)
{
    return vc->row.name[0] != '\0';
}

static bool copying_stops(const struct volume_copying *vc)
{
    return atomic_load(&vc->job->progress.stop) || lunmgr_is_closing(vc->job->manager);
}

/* ---- The end ------------------------------------------------------------------------
 */

static void copying_answer(struct volume_copying *vc)
{
    char outcome[CATALOG_JOB_OUTCOME_MAX];
    uint64_t all = atomic_load(&vc->job->progress.total);
    snprintf(outcome, sizeof(outcome),
             "copied_bytes=%" PRIu64 "\nshared_bytes=%" PRIu64 "\n",
             atomic_load(&vc->job->progress.done), vc->is_clone ? all : vc->shared_bytes);
    job_end(vc->job, op_outcome(&vc->op), vc->op.job.rc == 0 ? outcome : "");
    op_free(&vc->op);
}

static void copying_on_unmade(void *arg, const struct err *e)
{
    struct volume_copying *vc = arg;
    char reason[ERR_TEXT_MAX];
    if (e != NULL)
        log_warning("a copy's volume could not be removed", "volume=%s reason=%s",
                    vc->row.name, log_quote(reason, sizeof(reason), e->text));
    copying_answer(vc);
}

/* What it could not finish is removed. */
static void copying_unmake(struct volume_copying *vc)
{
    struct volume *made = volume_find(vc->job->manager, vc->row.to_id);
    if (vc->op.job.rc == 0 || !makes_volume(vc) || made == NULL)
        copying_answer(vc);
    else
        volume_delete(vc->job->manager, vc->row.to_id, true, copying_on_unmade, vc);
}

static void copying_on_unsnapped(void *arg, const struct err *e)
{
    struct volume_copying *vc = arg;
    if (e != NULL && e->code != -ENOENT && vc->op.job.rc == 0) {
        vc->op.job.rc = e->code;
        (void)err_set(op_err(&vc->op), e->code, NULL,
                      "all is copied, but its snapshot could not be removed: %.200s",
                      e->text);
    }
    copying_unmake(vc);
}

/* What stops with the daemon stays as it is, for the next start to go on with. */
static void copying_end(struct op *op)
{
    struct volume_copying *vc = copying_of(op);
    if (vc->source != NULL)
        volume_unpin(vc->source);
    if (vc->to != NULL)
        volume_unpin(vc->to);
    bool goes_on = op->job.rc == -ECANCELED && !atomic_load(&vc->job->progress.stop);
    if (goes_on)
        copying_answer(vc);
    else if (vc->made[0] != '\0')
        snapshot_delete(op->manager, vc->made, copying_on_unsnapped, vc);
    else
        copying_unmake(vc);
}

static void copying_fail(struct volume_copying *vc, const struct err *e)
{
    struct err copy = *e; /* it may be the op's own */
    *op_err(&vc->op) = copy;
    vc->op.job.rc = copy.code;
    copying_end(&vc->op);
}

/* ---- Copying: the home loop ----------------------------------------------------------
 */

static void copying_return(struct volume_copying *vc, int rc)
{
    static const struct {
        int rc;
        const char *text;
    } reasons[] = {
        {-ENOSPC, "the pool is full"},
        {-ENOMEM, "out of memory"},
        {-ERANGE, "a volume was made smaller"},
        {-EINPROGRESS, "a volume is being sanitized, or that has failed"},
        {-ECANCELED, "it was cancelled"},
    };
    const char *text = "a disk or the catalog failed";
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        text = reasons[i].rc == rc ? reasons[i].text : text;
    vc->op.job.rc = rc == 0 ? 0 : err_set(op_err(&vc->op), rc, NULL, "%s", text);
    op_return(&vc->op);
}

static void copying_on_flushed(struct vio *vio, int rc)
{
    copying_return(container_of(vio, struct volume_copying, flush), rc);
}

static void copying_flush(struct volume_copying *vc)
{
    vc->flush = (struct vio){.lane = vc->copy.lane,
                             .volume = vc->to,
                             .op = VIO_FLUSH,
                             .done = copying_on_flushed};
    vio_submit(&vc->flush);
}

static void copying_step(struct volume_copying *vc);

static void copying_on_step(struct copy *copy, int rc)
{
    struct volume_copying *vc = container_of(copy, struct volume_copying, copy);
    vc->done_bytes += copy->copied_bytes;
    vc->shared_bytes += copy->shared_bytes;
    atomic_store(&vc->job->progress.done, vc->done_bytes);
    if (rc != 0)
        copying_return(vc, rc);
    else
        copying_step(vc);
}

static void copying_step(struct volume_copying *vc)
{
    uint64_t left = vc->length_bytes - vc->done_bytes;
    if (copying_stops(vc)) {
        copying_return(vc, -ECANCELED);
        return;
    }
    if (left == 0) {
        copying_flush(vc);
        return;
    }
    vc->copy = (struct copy){
        .lane = lunmgr_home_lane(vc->job->manager),
        .from = vc->source,
        .to = vc->to,
        .from_bytes = vc->row.from_bytes + vc->done_bytes,
        .to_bytes = vc->row.to_bytes + vc->done_bytes,
        .length_bytes = left < COPY_STEP_BYTES ? left : COPY_STEP_BYTES,
        .done = copying_on_step,
    };
    copy_start(&vc->copy);
}

static void copying_at_home(struct op *op)
{
    copying_step(copying_of(op));
}

/* ---- The volumes --------------------------------------------------------------------
 */

static void copying_go(struct volume_copying *vc, struct volume *to)
{
    struct volume_info info;
    volume_describe(to, &info);
    vc->is_clone = makes_volume(vc) && strcmp(info.clone_of, vc->source->id) == 0;
    if (vc->is_clone) {
        atomic_store(&vc->job->progress.done, vc->length_bytes);
        vc->op.job.rc = 0;
        copying_end(&vc->op);
        return;
    }
    int rc = volume_pin(to, op_err(&vc->op));
    if (rc != 0) {
        copying_fail(vc, op_err(&vc->op));
        return;
    }
    vc->to = to;
    op_at_home(&vc->op, copying_at_home, copying_end);
}

static void copying_on_made(void *arg, struct volume *volume, const struct err *e)
{
    if (e != NULL)
        copying_fail(arg, e);
    else
        copying_go(arg, volume);
}

static void copying_make(struct volume_copying *vc)
{
    struct volume_info info;
    volume_describe(vc->source, &info);
    bool is_here = strcmp(info.pool_id, vc->row.pool_id) == 0;
    struct volume_spec spec = {
        .id = vc->row.to_id,
        .name = vc->row.name,
        .pool = vc->row.pool_id,
        .size_bytes = info.size_bytes,
        .block_bytes = info.block_bytes,
        .physical_bytes = info.physical_bytes,
        .snapshot = is_here ? vc->source->id : NULL,
    };
    volume_create(vc->job->manager, &spec, copying_on_made, vc);
}

/* By an earlier daemon it may have been made. */
static void copying_take_target(struct volume_copying *vc)
{
    struct volume *to = volume_find(vc->job->manager, vc->row.to_id);
    vc->length_bytes =
        vc->row.length_bytes == 0 ? volume_size_bytes(vc->source) : vc->row.length_bytes;
    atomic_store(&vc->job->progress.done, 0);
    atomic_store(&vc->job->progress.total, vc->length_bytes);
    if (to != NULL) {
        copying_go(vc, to);
    } else if (makes_volume(vc)) {
        copying_make(vc);
    } else {
        (void)err_set(op_err(&vc->op), -ENOENT, NULL, "what it copies to is no more");
        copying_fail(vc, op_err(&vc->op));
    }
}

static void copying_take(struct volume_copying *vc, struct volume *source)
{
    if (volume_pin(source, op_err(&vc->op)) != 0) {
        copying_fail(vc, op_err(&vc->op));
        return;
    }
    vc->source = source;
    copying_take_target(vc);
}

static void copying_on_snapshot(void *arg, struct volume *const *snapshots, size_t count,
                                const struct err *e)
{
    struct volume_copying *vc = arg;
    (void)count;
    if (e != NULL) {
        copying_fail(vc, e);
        return;
    }
    memcpy(vc->made, snapshots[0]->id, sizeof(vc->made));
    copying_take(vc, snapshots[0]);
}

/* Of one moment, the one that an earlier daemon has begun with. */
static void copying_snapshot(struct volume_copying *vc, struct volume *volume)
{
    char name[CATALOG_NAME_MAX], key[SNAPSHOT_KEY_MAX];
    snprintf(name, sizeof(name), "copy-%.13s", vc->job->row.id);
    snprintf(key, sizeof(key), "%s/%s", volume->name, name);
    struct volume *there = snapshot_find(volume->manager, key);
    const char *volumes[] = {volume->id};
    struct snapshot_spec spec = {.volumes = volumes, .volume_count = 1, .name = name};
    if (there == NULL) {
        snapshot_create(volume->manager, &spec, copying_on_snapshot, vc);
        return;
    }
    memcpy(vc->made, there->id, sizeof(vc->made));
    copying_take(vc, there);
}

static struct volume *copying_source(const struct volume_copying *vc)
{
    struct lunmgr *m = vc->job->manager;
    const char *asked = vc->row.snapshot_id;
    struct volume *v =
        asked[0] != '\0' ? snapshot_find(m, asked) : volume_find(m, vc->row.source_id);
    return v == NULL || v->deleting ? NULL : v;
}

static void copying_on_read(struct op *op)
{
    struct volume_copying *vc = copying_of(op);
    struct volume *source = copying_source(vc);
    if (op->job.rc != 0) {
        copying_end(op);
    } else if (source == NULL) {
        (void)err_set(op_err(op), -ENOENT, NULL, "%s is no more", vc->job->row.subject);
        copying_fail(vc, op_err(op));
    } else if (vc->row.length_bytes == 0 && vc->row.snapshot_id[0] == '\0') {
        copying_snapshot(vc, source);
    } else {
        copying_take(vc, source);
    }
}

static int copying_read_work(struct catalog_txn *txn, struct catalog_job *job,
                             struct err *e)
{
    struct volume_copying *vc = container_of(job, struct volume_copying, op.job);
    return copy_row_get(txn, vc->job->row.id, &vc->row, e);
}

static void copying_start(struct job *job)
{
    struct volume_copying *vc = op_new(job->manager, sizeof(*vc), copying_end);
    vc->job = job;
    op_read(&vc->op, copying_read_work, copying_on_read);
}

/* ---- Asking for one -----------------------------------------------------------------
 */

struct copy_asking {
    struct volume_copy_spec spec;
    struct copy_row row;
};

static int snapshot_check(struct lunmgr *m, struct copy_asking *a, struct volume *volume,
                          uint64_t *size_bytes, struct err *e)
{
    char key[SNAPSHOT_KEY_MAX];
    *size_bytes = volume_size_bytes(volume);
    if (a->spec.snapshot == NULL)
        return volume_cleared(volume, e);
    snprintf(key, sizeof(key), "%s/%.63s", volume->name, a->spec.snapshot);
    struct volume *s = snapshot_find(m, key);
    s = s != NULL ? s : snapshot_find(m, a->spec.snapshot);
    if (s == NULL || s->of != volume || s->deleting)
        return err_set(e, -ENOENT, "snapshot", "volume %s has no snapshot %s",
                       volume->name, a->spec.snapshot);
    *size_bytes = volume_size_bytes(s);
    memcpy(a->row.snapshot_id, s->id, sizeof(a->row.snapshot_id));
    return 0;
}

static int new_check(struct lunmgr *m, struct copy_asking *a, const struct volume *volume,
                     struct err *e)
{
    const struct pool *pool =
        a->spec.pool == NULL ? volume->pool : pool_find(m, a->spec.pool);
    int rc = name_check(a->spec.name, "name", e);
    if (rc != 0)
        return rc;
    if (volume_find(m, a->spec.name) != NULL)
        return err_set(e, -EEXIST, "name", "volume %s exists", a->spec.name);
    if (pool == NULL || pool->deleting)
        return err_set(e, -ENOENT, "pool", "there is no pool %s", a->spec.pool);
    id_make(a->row.to_id);
    memcpy(a->row.pool_id, pool->id, sizeof(a->row.pool_id));
    snprintf(a->row.name, sizeof(a->row.name), "%s", a->spec.name);
    return 0;
}

static int sessions_check(struct lunmgr *m, const struct volume *to, bool force,
                          struct err *e)
{
    const struct lunmgr_events *events = &m->events;
    unsigned sessions =
        events->volume_sessions == NULL ? 0 : events->volume_sessions(events->arg, to);
    return sessions == 0 || force
               ? 0
               : err_set(e, -EBUSY, "force",
                         "%u sessions see volume %s: detach it, or have it overwritten "
                         "under them",
                         sessions, to->name);
}

static int whole_blocks(const char *field, uint64_t bytes, const struct volume *to,
                        struct err *e)
{
    return bytes % to->block_bytes == 0
               ? 0
               : err_set(e, -EINVAL, field, "a multiple of %u bytes, a block, is wanted",
                         to->block_bytes);
}

/* size_bytes: of what is copied from. */
static int range_check(const struct copy_asking *a, const struct volume *volume,
                       const struct volume *to, uint64_t size_bytes, struct err *e)
{
    const struct volume_copy_spec *s = &a->spec;
    uint64_t length = s->length_bytes == 0 ? size_bytes : s->length_bytes;
    uint64_t to_size = volume_size_bytes(to);
    int rc = whole_blocks("offset", s->from_bytes, to, e);
    if (rc == 0)
        rc = whole_blocks("length", s->length_bytes, to, e);
    if (rc == 0)
        rc = whole_blocks("to_offset", s->to_bytes, to, e);
    if (rc != 0)
        return rc;
    if (s->from_bytes > size_bytes || length > size_bytes - s->from_bytes)
        return err_set(e, -EINVAL, s->length_bytes == 0 ? "offset" : "length",
                       "what is copied ends at %" PRIu64 " bytes", size_bytes);
    if (s->to_bytes > to_size || length > to_size - s->to_bytes)
        return err_set(e, -EINVAL, "to",
                       "volume %s has %" PRIu64 " bytes: from %" PRIu64
                       " on there is no room for %" PRIu64,
                       to->name, to_size, s->to_bytes, length);
    if (volume == to && a->row.snapshot_id[0] == '\0' &&
        s->from_bytes < s->to_bytes + length && s->to_bytes < s->from_bytes + length)
        return err_set(e, -EINVAL, "to_offset", "the ranges overlap");
    return 0;
}

static int target_check(struct lunmgr *m, struct copy_asking *a,
                        const struct volume *volume, uint64_t size_bytes, struct err *e)
{
    struct volume *to = volume_find(m, a->spec.to);
    if (to == NULL || to->deleting)
        return err_set(e, -ENOENT, "to", "there is no volume %s", a->spec.to);
    if (to->block_bytes != volume->block_bytes)
        return err_set(e, -EINVAL, "to", "its blocks are of %u bytes, those of %s of %u",
                       to->block_bytes, volume->name, volume->block_bytes);
    int rc = range_check(a, volume, to, size_bytes, e);
    if (rc == 0)
        rc = volume_unprotected(to, "to", e);
    if (rc == 0)
        rc = sessions_check(m, to, a->spec.force, e);
    memcpy(a->row.to_id, to->id, sizeof(a->row.to_id));
    return rc;
}

static int copying_find(struct lunmgr *m, const char *name, void *detail,
                        struct job_row *row, struct err *e)
{
    struct copy_asking *a = detail;
    struct volume *volume = volume_find(m, name);
    uint64_t size_bytes;
    if (volume == NULL || volume->deleting)
        return err_set(e, -ENOENT, "volume", "there is no volume %s", name);
    int rc = snapshot_check(m, a, volume, &size_bytes, e);
    if (rc == 0)
        rc = a->spec.name != NULL ? new_check(m, a, volume, e)
                                  : target_check(m, a, volume, size_bytes, e);
    memcpy(a->row.source_id, volume->id, sizeof(a->row.source_id));
    a->row.from_bytes = a->spec.from_bytes;
    a->row.to_bytes = a->spec.to_bytes;
    a->row.length_bytes = a->spec.length_bytes;
    memcpy(row->subject, volume->name, sizeof(row->subject));
    memcpy(row->subject_id, volume->id, sizeof(row->subject_id));
    return rc;
}

static int copying_add_work(struct catalog_txn *txn, const struct job_row *row,
                            void *detail, struct err *e)
{
    struct copy_asking *a = detail;
    memcpy(a->row.job_id, row->id, sizeof(a->row.job_id));
    return copy_row_add(txn, &a->row, e);
}

const struct job_kind job_kind_volume_copy = {.name = "volume-copy",
                                              .unit = "bytes",
                                              .find = copying_find,
                                              .add_work = copying_add_work,
                                              .many = true,
                                              .start = copying_start};

void volume_copy(struct lunmgr *m, const char *volume,
                 const struct volume_copy_spec *spec, job_done_fn done, void *arg)
{
    struct copy_asking *a = calloc(1, sizeof(*a));
    if (a == NULL)
        log_fatal("out of memory");
    a->spec = *spec;
    job_create(m, &job_kind_volume_copy, volume, a, done, arg);
}
