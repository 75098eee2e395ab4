/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs of the fake manager: a check runs until it is cancelled, or until the test says
 * how it ends. */
#include "lunmgr/volume_copy.h"

#include "fake_priv.h"

#include <inttypes.h>

struct job *job_find(struct lunmgr *m, const char *id)
{
    for (size_t i = 0; i < m->job_count; i++)
        if (strcmp(m->jobs[i].info.id, id) == 0)
            return &m->jobs[i];
    return NULL;
}

struct job *job_next(struct lunmgr *m, const struct job *prev)
{
    size_t next = prev == NULL ? 0 : (size_t)(prev - m->jobs) + 1;
    return next < m->job_count ? &m->jobs[next] : NULL;
}

void job_describe(const struct job *job, struct job_info *out)
{
    *out = job->info;
}

void fake_job_set(struct lunmgr *m, const char *id, const struct job_info *info)
{
    struct job *job = job_find(m, id);
    job->info.state = info->state;
    job->info.ended_s = info->ended_s;
    job->info.units_done = info->units_done;
    job->info.units_total = info->units_total;
    job->info.rate = info->rate;
    job->info.estimate_s = info->estimate_s;
    job->info.outcome = info->outcome;
    job->info.error = info->error;
}

static struct job *job_place(struct lunmgr *m, const char *kind, const char *subject,
                             const char *subject_id)
{
    assert(m->job_count < FAKE_MAX);
    struct job *job = &m->jobs[m->job_count++];
    job->info = (struct job_info){.no = m->job_count,
                                  .kind = kind,
                                  .unit = "extents",
                                  .state = "running",
                                  .created_s = CREATED_S,
                                  .rate = -1,
                                  .estimate_s = -1,
                                  .outcome = "",
                                  .error = ""};
    make_id(m, job->info.id);
    copy(job->info.subject, sizeof(job->info.subject), subject);
    copy(job->info.subject_id, sizeof(job->info.subject_id), subject_id);
    return job;
}

static void do_pool_check(struct call *call, struct err *e)
{
    const struct pool *pool = pool_find(call->m, call->name);
    struct job *job = NULL;
    if (e->code == 0 && pool == NULL)
        err_set(e, -ENOENT, NULL, "there is no pool %s", call->name);
    if (e->code == 0 && !call->dry && pool != NULL)
        job = job_place(call->m, "pool-check", pool->info.name, pool->info.id);
    call->fn.job(call->arg, job, err_or_null(e));
}

void pool_check(struct lunmgr *m, const char *name_or_id, job_done_fn done, void *arg)
{
    struct call *call = call_new(m, do_pool_check, arg);
    copy(call->name, sizeof(call->name), name_or_id);
    call->fn.job = done;
    call_post(call);
}

/* It is over at once. */
static void do_device_evacuate(struct call *call, struct err *e)
{
    struct device *d = pool_device_find(call->m, call->name);
    struct job *job = NULL;
    if (e->code == 0 && d == NULL)
        err_set(e, -ENOENT, NULL, "there is no device %s", call->name);
    if (e->code == 0 && !call->dry && d != NULL) {
        job = job_place(call->m, "device-evacuate", d->info.pool_name, d->info.id);
        d->info.state = "evacuated";
    }
    call->fn.job(call->arg, job, err_or_null(e));
}

void pool_device_evacuate(struct lunmgr *m, const char *key, job_done_fn done, void *arg)
{
    struct call *call = call_new(m, do_device_evacuate, arg);
    copy(call->name, sizeof(call->name), key);
    call->fn.job = done;
    call_post(call);
}

/* What is copied is nothing; the job is over at once. */
static void do_volume_copy(struct call *call, struct err *e)
{
    struct volume *v = volume_find(call->m, call->name);
    struct volume *to = call->other[0] == '\0' ? NULL : volume_find(call->m, call->other);
    struct job *job = NULL;
    if (e->code == 0 && v == NULL)
        err_set(e, -ENOENT, "volume", "there is no volume %s", call->name);
    if (e->code == 0 && call->other[0] != '\0' && to == NULL)
        err_set(e, -ENOENT, "to", "there is no volume %s", call->other);
    if (e->code == 0 && to != NULL && to->info.mapping_count > 0 && !call->flag)
        err_set(e, -EBUSY, "force", "1 sessions see volume %s", call->other);
    if (e->code == 0 && call->third[0] != '\0' &&
        volume_find(call->m, call->third) != NULL)
        err_set(e, -EEXIST, "name", "volume %s exists", call->third);
    if (e->code == 0 && !call->dry && v != NULL)
        job = job_place(call->m, "volume-copy", v->info.name, v->info.id);
    call->fn.job(call->arg, job, err_or_null(e));
}

void volume_copy(struct lunmgr *m, const char *volume,
                 const struct volume_copy_spec *spec, job_done_fn done, void *arg)
{
    struct call *call = call_new(m, do_volume_copy, arg);
    copy(call->name, sizeof(call->name), volume);
    if (spec->to != NULL)
        copy(call->other, sizeof(call->other), spec->to);
    if (spec->name != NULL)
        copy(call->third, sizeof(call->third), spec->name);
    call->flag = spec->force;
    call->fn.job = done;
    call_post(call);
}

static void do_job_cancel(struct call *call, struct err *e)
{
    struct job *job = job_find(call->m, call->name);
    if (e->code == 0 && job == NULL)
        err_set(e, -ENOENT, NULL, "there is no job %s", call->name);
    if (e->code == 0 && job != NULL && job->info.ended_s != 0)
        err_set(e, -EBUSY, NULL, "job %s has ended", call->name);
    if (e->code == 0 && !call->dry && job != NULL) {
        call_about(call, job->info.id);
        job->info.cancel_asked = true;
        job->info.state = "cancelled";
        job->info.ended_s = CREATED_S;
    }
    call->fn.job(call->arg, e->code == 0 ? job : NULL, err_or_null(e));
}

void job_cancel(struct lunmgr *m, const char *id, job_done_fn done, void *arg)
{
    struct call *call = call_new(m, do_job_cancel, arg);
    copy(call->name, sizeof(call->name), id);
    call->fn.job = done;
    call_post(call);
}
