/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of the fake manager: created, changed, deleted into the trash and back. */
#include "fake_volume.h"

/* ---- Tables ------------------------------------------------------------------------ */

static bool is_volume(const struct volume *v)
{
    return v->info.id[0] != '\0' && v->of == NULL && v->info.trashed_s == 0;
}

static bool is_trashed(const struct volume *v)
{
    return v->info.id[0] != '\0' && v->of == NULL && v->info.trashed_s != 0;
}

struct volume *fake_volume_place(struct lunmgr *m)
{
    size_t i = 0;
    while (m->volumes[i].info.id[0] != '\0') {
        i++;
        assert(i < FAKE_MAX);
    }
    struct volume *v = &m->volumes[i];
    *v = (struct volume){.info = {.created_s = CREATED_S, .labels = {v->labels, 0}}};
    make_id(m, v->info.id);
    snprintf(v->info.naa, sizeof(v->info.naa), "6%031x", m->ids);
    snprintf(v->info.serial, sizeof(v->info.serial), "%016x", m->ids);
    return v;
}

static struct volume *find(struct lunmgr *m, bool (*is)(const struct volume *),
                           const char *name)
{
    for (size_t i = 0; i < FAKE_MAX; i++) {
        struct volume *v = &m->volumes[i];
        if (is(v) && (strcmp(v->info.id, name) == 0 || strcmp(v->info.name, name) == 0))
            return v;
    }
    return NULL;
}

struct volume *volume_find(struct lunmgr *m, const char *name_or_id)
{
    return find(m, is_volume, name_or_id);
}

struct volume *volume_trash_find(struct lunmgr *m, const char *name_or_id)
{
    return find(m, is_trashed, name_or_id);
}

static struct volume *walk_on(struct lunmgr *m, bool (*is)(const struct volume *),
                              const struct row_walk *w)
{
    struct volume *best = NULL;
    for (size_t i = 0; i < FAKE_MAX; i++) {
        struct volume *v = &m->volumes[i];
        const char *key = walk_key(w, v->info.name, v->info.id);
        if (is(v) && strcmp(key, w->after) > 0 &&
            (best == NULL ||
             strcmp(key, walk_key(w, best->info.name, best->info.id)) < 0))
            best = v;
    }
    return best;
}

struct volume *volume_walk(struct lunmgr *m, struct row_walk *w)
{
    return walk_on(m, is_volume, w);
}

struct volume *volume_trash_walk(struct lunmgr *m, struct row_walk *w)
{
    struct row_walk by_id = {.order = WALK_BY_ID, .after = w->after};
    return walk_on(m, is_trashed, &by_id);
}

struct volume *volume_next(struct lunmgr *m, const struct volume *prev)
{
    struct volume *best = NULL;
    for (size_t i = 0; i < FAKE_MAX; i++) {
        struct volume *v = &m->volumes[i];
        if (is_volume(v) && (prev == NULL || strcmp(v->info.name, prev->info.name) > 0) &&
            (best == NULL || strcmp(v->info.name, best->info.name) < 0))
            best = v;
    }
    return best;
}

struct volume *volume_trash_next(struct lunmgr *m, const struct volume *prev)
{
    struct volume *best = NULL;
    for (size_t i = 0; i < FAKE_MAX; i++) {
        struct volume *v = &m->volumes[i];
        if (is_trashed(v) && (prev == NULL || strcmp(v->info.id, prev->info.id) > 0) &&
            (best == NULL || strcmp(v->info.id, best->info.id) < 0))
            best = v;
    }
    return best;
}

size_t volume_trash_count(const struct lunmgr *m)
{
    size_t count = 0;
    for (size_t i = 0; i < FAKE_MAX; i++)
        count += is_trashed(&m->volumes[i]);
    return count;
}

/* ---- What calls carry -------------------------------------------------------------- */

void call_copy_labels(struct call *call, struct label_list list)
{
    call->has_labels = true;
    call->label_count = list.count;
    for (size_t i = 0; i < list.count; i++)
        call->labels[i] = list.labels[i];
}

void volume_take_labels(struct volume *v, const struct call *call)
{
    memcpy(v->labels, call->labels, sizeof(v->labels));
    v->info.labels = (struct label_list){v->labels, call->label_count};
}

static void answer_volume(struct call *call, struct volume *v, struct err *e)
{
    call->fn.volume(call->arg, e->code == 0 ? v : NULL, err_or_null(e));
}

/* ---- Creating ---------------------------------------------------------------------- */

static struct volume *volume_build(struct call *call, const struct volume *base,
                                   struct pool *pool)
{
    struct volume *v = fake_volume_place(call->m);
    struct volume_info *info = &v->info;
    copy(info->name, sizeof(info->name), call->name);
    copy(info->pool_id, sizeof(info->pool_id), pool->info.id);
    copy(info->pool_name, sizeof(info->pool_name), pool->info.name);
    info->size_bytes =
        call->number == 0 && base != NULL ? base->info.size_bytes : call->number;
    info->block_bytes = call->number2 == 0 ? 512 : (uint32_t)call->number2;
    info->physical_bytes = call->number3 == 0 ? 4096 : (uint32_t)call->number3;
    info->is_protected = call->flag;
    info->zero_detect = call->flag2;
    info->guaranteed_bytes = call->guaranteed_bytes;
    info->qos = call->qos;
    if (base != NULL)
        copy(info->clone_of, sizeof(info->clone_of), base->info.id);
    volume_take_labels(v, call);
    pool->info.volume_count++;
    pool->info.provisioned_bytes += info->size_bytes;
    return v;
}

static void do_volume_create(struct call *call, struct err *e)
{
    struct volume *volume = NULL, *base = NULL;
    if (call->third[0] != '\0')
        base = snapshot_find(call->m, call->third);
    struct pool *pool =
        pool_find(call->m, base != NULL && call->other[0] == '\0' ? base->info.pool_id
                                                                  : call->other);
    if (e->code == 0 && call->third[0] != '\0' && base == NULL)
        err_set(e, -ENOENT, "snapshot", "there is no snapshot %s", call->third);
    if (e->code == 0 && pool == NULL)
        err_set(e, -ENOENT, "pool", "there is no pool %s", call->other);
    if (e->code == 0 && volume_find(call->m, call->name) != NULL)
        err_set(e, -EEXIST, "name", "volume %s exists", call->name);
    if (e->code == 0 && !call->dry && pool != NULL)
        volume = volume_build(call, base, pool);
    answer_volume(call, volume, e);
}

void volume_create(struct lunmgr *m, const struct volume_spec *spec, volume_done_fn done,
                   void *arg)
{
    struct call *call = call_new(m, do_volume_create, arg);
    copy(call->name, sizeof(call->name), spec->name);
    copy(call->other, sizeof(call->other), spec->pool == NULL ? "" : spec->pool);
    copy(call->third, sizeof(call->third), spec->snapshot == NULL ? "" : spec->snapshot);
    call->number = spec->size_bytes;
    call->number2 = spec->block_bytes;
    call->number3 = spec->physical_bytes;
    call->flag = spec->is_protected;
    call->flag2 = spec->zero_detect;
    call->guaranteed_bytes = spec->guaranteed_bytes;
    call_change_qos(call, &(const struct qos){{0}}, spec->qos);
    call_copy_labels(call, spec->labels);
    call->fn.volume = done;
    call_post(call);
}

/* ---- Changing ---------------------------------------------------------------------- */

static void change_apply(struct call *call, struct volume *v)
{
    call_about(call, v->info.id);
    if (call->name_count > 0)
        copy(v->info.name, sizeof(v->info.name), call->names[0]);
    if (call->number != 0)
        v->info.size_bytes = call->number;
    if (call->has_flag)
        v->info.is_protected = call->flag;
    if (call->has_flag2)
        v->info.zero_detect = call->flag2;
    if (v->of == NULL) {
        v->info.qos = call->qos;
        v->info.guaranteed_bytes = call->guaranteed_bytes;
    }
    if (call->has_labels)
        volume_take_labels(v, call);
}

static bool name_is_taken(struct call *call, const struct volume *v)
{
    char key[2 * FAKE_NAME_MAX];
    const struct volume *other = volume_find(call->m, call->names[0]);
    if (v->of != NULL) {
        snprintf(key, sizeof(key), "%s/%s", v->of->info.name, call->names[0]);
        other = snapshot_find(call->m, key);
    }
    return other != NULL && other != v;
}

void do_change(struct call *call, struct volume *v, const char *kind, struct err *e)
{
    if (e->code == 0 && v == NULL)
        err_set(e, -ENOENT, kind, "there is no %s %s", kind, call->name);
    if (e->code == 0 && v != NULL && call->number != 0 &&
        call->number < v->info.size_bytes && !call->flag3)
        err_set(e, -EINVAL, "size", "a smaller size wants allow_data_loss");
    if (e->code == 0 && v != NULL && call->name_count > 0 && name_is_taken(call, v))
        err_set(e, -EEXIST, "name", "%s exists", call->names[0]);
    if (e->code == 0 && !call->dry && v != NULL)
        change_apply(call, v);
    answer_volume(call, v, e);
}

struct call *change_call(struct lunmgr *m, work_fn work, const char *name,
                         const struct volume_change *change, volume_done_fn done,
                         void *arg)
{
    struct call *call = call_new(m, work, arg);
    copy(call->name, sizeof(call->name), name);
    if (change->name != NULL)
        call_copy_names(call, &change->name, 1);
    call->number = change->size_bytes;
    call->flag3 = change->allow_data_loss;
    call->has_flag = change->is_protected != NULL;
    call->flag = call->has_flag && *change->is_protected;
    call->has_flag2 = change->zero_detect != NULL;
    call->flag2 = call->has_flag2 && *change->zero_detect;
    const struct volume *v = volume_find(m, name);
    if (v != NULL) {
        call_change_qos(call, &v->info.qos, change->qos);
        call->guaranteed_bytes = v->info.guaranteed_bytes;
    }
    if (change->guaranteed_bytes != NULL)
        call->guaranteed_bytes = *change->guaranteed_bytes;
    if (change->labels != NULL)
        call_copy_labels(call, *change->labels);
    call->fn.volume = done;
    return call;
}

static void do_volume_change(struct call *call, struct err *e)
{
    do_change(call, volume_find(call->m, call->name), "volume", e);
}

void volume_change(struct lunmgr *m, const char *name_or_id,
                   const struct volume_change *change, volume_done_fn done, void *arg)
{
    call_post(change_call(m, do_volume_change, name_or_id, change, done, arg));
}

static void do_volume_rollback(struct call *call, struct err *e)
{
    struct volume *v = volume_find(call->m, call->name);
    if (e->code == 0 && v == NULL)
        err_set(e, -ENOENT, "volume", "there is no volume %s", call->name);
    if (e->code == 0 && !call->flag && v != NULL && v->info.mapping_count > 0)
        err_set(e, -EBUSY, "fence", "1 sessions see volume %s", call->name);
    char key[2 * FAKE_NAME_MAX];
    snprintf(key, sizeof(key), "%s/%s", call->name, call->other);
    struct volume *s = snapshot_find(call->m, key);
    if (s == NULL)
        s = snapshot_find(call->m, call->other);
    if (e->code == 0 && (s == NULL || s->of != v))
        err_set(e, -ENOENT, "snapshot", "volume %s has no snapshot %s", call->name,
                call->other);
    snprintf(key, sizeof(key), "%s/%s", call->name, call->third);
    if (e->code == 0 && snapshot_find(call->m, key) != NULL)
        err_set(e, -EEXIST, "keep_name", "there is a snapshot %s already", key);
    if (e->code == 0 && !call->dry && v != NULL) {
        fake_snapshot_make(call->m, v, call->third, "");
        call_about(call, v->info.id);
    }
    answer_volume(call, v, e);
}

void volume_rollback(struct lunmgr *m, const char *name_or_id,
                     const struct rollback_spec *spec, volume_done_fn done, void *arg)
{
    struct call *call = call_new(m, do_volume_rollback, arg);
    copy(call->name, sizeof(call->name), name_or_id);
    copy(call->other, sizeof(call->other), spec->snapshot);
    copy(call->third, sizeof(call->third),
         spec->keep_name == NULL ? "rollback-now" : spec->keep_name);
    call->flag = spec->fence;
    call->fn.volume = done;
    call_post(call);
}

/* ---- Deleting ---------------------------------------------------------------------- */

static void volume_forget(struct lunmgr *m, struct volume *v)
{
    pool_find(m, v->info.pool_id)->info.volume_count--;
    for (size_t i = 0; i < FAKE_MAX; i++) {
        if (m->volumes[i].of == v)
            m->volumes[i] = (struct volume){0};
    }
    *v = (struct volume){0};
}

static void do_volume_delete(struct call *call, struct err *e)
{
    struct volume *v = volume_find(call->m, call->name);
    if (e->code == 0 && v == NULL)
        err_set(e, -ENOENT, "volume", "there is no volume %s", call->name);
    if (e->code == 0 && v != NULL && (v->info.mapping_count > 0 || v->info.is_protected))
        err_set(e, -EBUSY, "volume", "volume %s is mapped or protected", call->name);
    if (e->code == 0 && !call->dry && v != NULL)
        call_about(call, v->info.id);
    if (e->code == 0 && !call->dry && v != NULL && call->flag)
        volume_forget(call->m, v);
    else if (e->code == 0 && !call->dry && v != NULL) {
        v->info.trashed_s = CREATED_S;
        v->info.purge_s = CREATED_S + RETENTION_S;
    }
    call->fn.done(call->arg, err_or_null(e));
}

void volume_delete(struct lunmgr *m, const char *name_or_id, bool purge, done_fn done,
                   void *arg)
{
    struct call *call = call_new(m, do_volume_delete, arg);
    copy(call->name, sizeof(call->name), name_or_id);
    call->flag = purge;
    call->fn.done = done;
    call_post(call);
}

static void do_volume_restore(struct call *call, struct err *e)
{
    struct volume *v = volume_trash_find(call->m, call->name);
    if (e->code == 0 && v == NULL)
        err_set(e, -ENOENT, "volume", "there is no volume %s in the trash", call->name);
    const char *name = v != NULL && call->other[0] == '\0' ? v->info.name : call->other;
    if (e->code == 0 && volume_find(call->m, name) != NULL)
        err_set(e, -EEXIST, "name", "volume %s exists", name);
    if (e->code == 0 && !call->dry && v != NULL) {
        call_about(call, v->info.id);
        v->info.trashed_s = v->info.purge_s = 0;
        if (call->other[0] != '\0')
            copy(v->info.name, sizeof(v->info.name), call->other);
    }
    answer_volume(call, v, e);
}

void volume_restore(struct lunmgr *m, const char *name_or_id, const char *name,
                    volume_done_fn done, void *arg)
{
    struct call *call = call_new(m, do_volume_restore, arg);
    copy(call->name, sizeof(call->name), name_or_id);
    copy(call->other, sizeof(call->other), name == NULL ? "" : name);
    call->fn.volume = done;
    call_post(call);
}

static void do_volume_purge(struct call *call, struct err *e)
{
    struct volume *v = volume_trash_find(call->m, call->name);
    if (e->code == 0 && v == NULL)
        err_set(e, -ENOENT, "volume", "there is no volume %s in the trash", call->name);
    if (e->code == 0 && !call->dry && v != NULL) {
        call_about(call, v->info.id);
        volume_forget(call->m, v);
    }
    call->fn.done(call->arg, err_or_null(e));
}

void volume_purge(struct lunmgr *m, const char *name_or_id, done_fn done, void *arg)
{
    struct call *call = call_new(m, do_volume_purge, arg);
    copy(call->name, sizeof(call->name), name_or_id);
    call->fn.done = done;
    call_post(call);
}

/* ---- Reading ----------------------------------------------------------------------- */

void volume_describe(const struct volume *volume, struct volume_info *out)
{
    *out = volume->info;
}

const char *volume_id(const struct volume *volume)
{
    return volume->info.id;
}
