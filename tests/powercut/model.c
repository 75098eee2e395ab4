/* SPDX-License-Identifier: Apache-2.0 */
/* Lists, and what each change does to them. */
#include "tests/powercut/model.h"

#include "lunmgr/snapshot.h"
#include "tests/lib/power.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void model_init(struct model *m, struct power *power)
{
    *m = (struct model){.power = power, .world = oracle_world_create()};
}

static void snapshot_free(struct model_snapshot *s)
{
    image_put(s->image);
    free(s);
}

static void volume_free(struct model_volume *v)
{
    for (struct model_snapshot *s; (s = v->snapshots) != NULL;) {
        v->snapshots = s->next;
        snapshot_free(s);
    }
    oracle_destroy(v->oracle);
    free(v);
}

void model_fini(struct model *m)
{
    for (struct model_volume *v; (v = m->volumes) != NULL;) {
        m->volumes = v->next;
        volume_free(v);
    }
    oracle_world_destroy(m->world);
}

void model_name(struct model *m, const char *kind, char name[VOLUME_NAME_MAX])
{
    snprintf(name, VOLUME_NAME_MAX, "%s%u", kind, ++m->next_name);
}

void model_on_fall(void *arg)
{
    const struct model *m = arg;
    for (struct model_volume *v = m->volumes; v != NULL; v = v->next) {
        if (v->is_cut)
            continue; /* what the first cut left is what the second one found */
        oracle_cut_begin(v->oracle, &v->cut);
        oracle_cut_end(v->oracle, &v->cut);
        v->is_cut = true;
    }
}

unsigned model_snapshot_count(const struct model_volume *v)
{
    unsigned n = 0;
    for (const struct model_snapshot *s = v->snapshots; s != NULL; s = s->next)
        n++;
    return n;
}

/* ---- Changes ------------------------------------------------------------------------
 */

static void copy_name(char to[VOLUME_NAME_MAX], const char *from)
{
    snprintf(to, VOLUME_NAME_MAX, "%s", from);
}

static void apply_create(struct model *m, const struct change *c)
{
    struct model_volume *v = calloc(1, sizeof(*v));
    assert(v != NULL);
    copy_name(v->name, c->name);
    v->block_bytes = c->block_bytes;
    v->oracle = oracle_create_in(m->world, c->bytes, c->image);
    power_lock(m->power);
    struct model_volume **link = &m->volumes;
    while (*link != NULL)
        link = &(*link)->next;
    *link = v;
    power_unlock(m->power);
}

static void apply_delete(struct model *m, struct model_volume *v)
{
    power_lock(m->power);
    struct model_volume **link = &m->volumes;
    while (*link != v)
        link = &(*link)->next;
    *link = v->next;
    power_unlock(m->power);
    volume_free(v);
}

static struct model_snapshot *add_snapshot(struct model_volume *v, const char *name,
                                           uint64_t bytes)
{
    struct model_snapshot *s = calloc(1, sizeof(*s)), **link = &v->snapshots;
    assert(s != NULL);
    copy_name(s->name, name);
    s->bytes = bytes;
    while (*link != NULL)
        link = &(*link)->next;
    *link = s;
    return s;
}

static void apply_snapshot(struct model *m, const struct change *c)
{
    unsigned group = ++m->next_group;
    for (unsigned i = 0; i < c->volume_count; i++) {
        struct model_volume *v = c->volumes[i];
        struct model_snapshot *s = add_snapshot(v, c->name, oracle_bytes(v->oracle));
        s->since = c->since;
        s->until = c->until;
        s->group = group;
    }
}

static void apply_unsnap(struct model_volume *v, struct model_snapshot *s)
{
    struct model_snapshot **link = &v->snapshots;
    while (*link != s)
        link = &(*link)->next;
    *link = s->next;
    snapshot_free(s);
}

static void apply_rollback(struct model *m, const struct change *c)
{
    struct model_volume *v = c->volumes[0];
    struct model_snapshot *kept = add_snapshot(v, c->name, oracle_bytes(v->oracle));
    kept->image = image_get(c->image);
    kept->group = ++m->next_group;
    oracle_rebase(v->oracle, c->snapshot->bytes, c->snapshot->image);
}

static void apply_evacuate(const struct change *c)
{
    struct model_device *d = c->device;
    d->evacuation = MODEL_LEAVES;
    memcpy(d->job, c->job, sizeof(d->job));
    d->cancel_asked = d->job_may_fail = false;
}

static void apply_add(const struct change *c)
{
    c->device->is_member = true;
    c->device->bytes = c->bytes;
    c->device->evacuation = MODEL_SERVES;
}

void model_apply(struct model *m, const struct change *c)
{
    struct model_volume *v = c->volumes[0];
    switch (c->kind) {
    case CHANGE_NONE:
        break;
    case CHANGE_CREATE:
        apply_create(m, c);
        break;
    case CHANGE_DELETE:
        apply_delete(m, v);
        break;
    case CHANGE_TRASH:
    case CHANGE_RESTORE:
        v->trashed = c->kind == CHANGE_TRASH;
        break;
    case CHANGE_RENAME:
        copy_name(v->name, c->name);
        break;
    case CHANGE_RESIZE:
        oracle_resize(v->oracle, c->bytes);
        break;
    case CHANGE_SNAPSHOT:
        apply_snapshot(m, c);
        break;
    case CHANGE_UNSNAP:
        apply_unsnap(v, c->snapshot);
        break;
    case CHANGE_ROLLBACK:
        apply_rollback(m, c);
        break;
    case CHANGE_ADD:
        apply_add(c);
        break;
    case CHANGE_GROW:
        c->device->bytes = c->bytes;
        break;
    case CHANGE_EVACUATE:
        apply_evacuate(c);
        break;
    case CHANGE_CANCEL:
        c->device->cancel_asked = true;
        break;
    case CHANGE_REMOVE:
        c->device->is_member = false;
        break;
    }
}

void change_fini(struct change *c)
{
    image_put(c->image);
    *c = (struct change){.kind = CHANGE_NONE};
}

/* ---- What lunmgr shows --------------------------------------------------------------
 */

struct volume *model_find(const struct model_volume *v, struct lunmgr *manager)
{
    return v->trashed ? volume_trash_find(manager, v->name)
                      : volume_find(manager, v->name);
}

static struct volume *find_named(const struct model_volume *v, const char *name,
                                 struct lunmgr *manager)
{
    struct volume *volume = model_find(v, manager), *s = NULL;
    struct snapshot_info info;
    while (volume != NULL && (s = volume_snapshot_next(volume, s)) != NULL) {
        snapshot_describe(s, &info);
        if (strcmp(info.name, name) == 0)
            return s;
    }
    return NULL;
}

struct volume *model_find_snapshot(const struct model_volume *v,
                                   const struct model_snapshot *s, struct lunmgr *manager)
{
    return find_named(v, s->name, manager);
}

unsigned model_member_count(const struct model *m)
{
    unsigned n = 0;
    for (unsigned i = 0; i < m->device_count; i++)
        n += m->devices[i].is_member;
    return n;
}

struct device *model_find_device(const struct model_device *d, struct lunmgr *manager)
{
    const struct pool *pool = pool_find(manager, "p");
    struct pool_device_info info;
    struct device *found = NULL;
    while (pool != NULL && (found = pool_device_next(pool, found)) != NULL) {
        pool_device_describe(found, &info);
        if (strcmp(info.path, d->path) == 0)
            return found;
    }
    return NULL;
}

static bool has_grown(const struct change *c, struct lunmgr *manager)
{
    struct pool_device_info info = {.size_bytes = 0};
    const struct device *d = model_find_device(c->device, manager);
    if (d != NULL)
        pool_device_describe(d, &info);
    return info.size_bytes == c->bytes;
}

/* There is a job that was not there before. */
static bool has_new_job(struct change *c, struct lunmgr *manager)
{
    struct job_info info = {.no = 0};
    for (const struct job *job = NULL; (job = job_next(manager, job)) != NULL;)
        job_describe(job, &info);
    memcpy(c->job, info.id, sizeof(c->job));
    return info.no > c->after_job;
}

static bool is_cancelled(const struct change *c, struct lunmgr *manager)
{
    struct job_info info = {.cancel_asked = false};
    const struct job *job = job_find(manager, c->job);
    if (job != NULL)
        job_describe(job, &info);
    return info.cancel_asked;
}

static int snapshot_happened(const struct change *c, struct lunmgr *manager)
{
    unsigned there = 0;
    for (unsigned i = 0; i < c->volume_count; i++)
        there += find_named(c->volumes[i], c->name, manager) != NULL;
    return there == c->volume_count ? 1 : there == 0 ? 0 : -1;
}

int change_has_happened(struct change *c, struct lunmgr *manager)
{
    const struct model_volume *v = c->volumes[0];
    switch (c->kind) {
    case CHANGE_NONE:
        break;
    case CHANGE_CREATE:
    case CHANGE_RENAME:
        return volume_find(manager, c->name) != NULL;
    case CHANGE_DELETE:
        return model_find(v, manager) == NULL;
    case CHANGE_TRASH:
        return volume_trash_find(manager, v->name) != NULL;
    case CHANGE_RESTORE:
        return volume_find(manager, v->name) != NULL;
    case CHANGE_RESIZE: {
        struct volume *volume = model_find(v, manager);
        return volume != NULL && volume_size_bytes(volume) == c->bytes;
    }
    case CHANGE_SNAPSHOT:
    case CHANGE_ROLLBACK:
        return snapshot_happened(c, manager);
    case CHANGE_UNSNAP:
        return find_named(v, c->snapshot->name, manager) == NULL;
    case CHANGE_ADD:
        return model_find_device(c->device, manager) != NULL;
    case CHANGE_GROW:
        return has_grown(c, manager);
    case CHANGE_EVACUATE:
        return has_new_job(c, manager);
    case CHANGE_CANCEL:
        return is_cancelled(c, manager);
    case CHANGE_REMOVE:
        return model_find_device(c->device, manager) == NULL;
    }
    return 0;
}
