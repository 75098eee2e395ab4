/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots of the fake manager. */
#include "fake_volume.h"

static bool is_snapshot(const struct volume *v)
{
    return v->info.id[0] != '\0' && v->of != NULL && v->of->info.trashed_s == 0;
}

void snapshot_key(const struct volume *s, char key[SNAPSHOT_KEY_MAX])
{
    snprintf(key, SNAPSHOT_KEY_MAX, "%s/%s", s->of->info.name, s->info.name);
}

struct volume *snapshot_find(struct lunmgr *m, const char *key_or_id)
{
    for (size_t i = 0; i < FAKE_MAX; i++) {
        struct volume *v = &m->volumes[i];
        char key[SNAPSHOT_KEY_MAX];
        if (!is_snapshot(v))
            continue;
        snapshot_key(v, key);
        if (strcmp(v->info.id, key_or_id) == 0 || strcmp(key, key_or_id) == 0)
            return v;
    }
    return NULL;
}

struct volume *snapshot_next(struct lunmgr *m, const struct volume *prev)
{
    struct volume *best = NULL;
    char after[SNAPSHOT_KEY_MAX] = "", best_key[SNAPSHOT_KEY_MAX] = "";
    if (prev != NULL)
        snapshot_key(prev, after);
    for (size_t i = 0; i < FAKE_MAX; i++) {
        char key[SNAPSHOT_KEY_MAX];
        if (!is_snapshot(&m->volumes[i]))
            continue;
        snapshot_key(&m->volumes[i], key);
        if (strcmp(key, after) <= 0 || (best != NULL && strcmp(key, best_key) > 0))
            continue;
        best = &m->volumes[i];
        copy(best_key, sizeof(best_key), key);
    }
    return best;
}

struct volume *snapshot_walk(struct lunmgr *m, struct row_walk *w)
{
    struct volume *best = NULL;
    char best_key[SNAPSHOT_KEY_MAX] = "";
    for (size_t i = 0; i < FAKE_MAX; i++) {
        struct volume *s = &m->volumes[i];
        char name[SNAPSHOT_KEY_MAX];
        if (!is_snapshot(s))
            continue;
        snapshot_key(s, name);
        const char *key = walk_key(w, name, s->info.id);
        if (strcmp(key, w->after) <= 0 || (best != NULL && strcmp(key, best_key) > 0))
            continue;
        best = s;
        copy(best_key, sizeof(best_key), key);
    }
    return best;
}

size_t snapshot_count(const struct lunmgr *m)
{
    size_t count = 0;
    for (size_t i = 0; i < FAKE_MAX; i++)
        count += is_snapshot(&m->volumes[i]);
    return count;
}

void snapshot_describe(const struct volume *s, struct snapshot_info *out)
{
    *out = (struct snapshot_info){
        .size_bytes = s->info.size_bytes,
        .block_bytes = s->info.block_bytes,
        .physical_bytes = s->info.physical_bytes,
        .created_s = s->info.created_s,
        .mapping_count = s->info.mapping_count,
        .is_protected = s->info.is_protected,
        .labels = s->info.labels,
    };
    copy(out->id, sizeof(out->id), s->info.id);
    copy(out->name, sizeof(out->name), s->info.name);
    copy(out->volume_id, sizeof(out->volume_id), s->of->info.id);
    copy(out->volume_name, sizeof(out->volume_name), s->of->info.name);
    copy(out->pool_id, sizeof(out->pool_id), s->info.pool_id);
    copy(out->pool_name, sizeof(out->pool_name), s->info.pool_name);
    copy(out->group_id, sizeof(out->group_id), s->group);
    copy(out->naa, sizeof(out->naa), s->info.naa);
    copy(out->serial, sizeof(out->serial), s->info.serial);
}

/* ---- Changes ----------------------------------------------------------------------- */

struct volume *fake_snapshot_make(struct lunmgr *m, struct volume *of, const char *name,
                                  const char *group)
{
    struct volume *s = fake_volume_place(m);
    s->of = of;
    copy(s->info.name, sizeof(s->info.name), name);
    copy(s->info.pool_id, sizeof(s->info.pool_id), of->info.pool_id);
    copy(s->info.pool_name, sizeof(s->info.pool_name), of->info.pool_name);
    s->info.size_bytes = of->info.size_bytes;
    s->info.block_bytes = of->info.block_bytes;
    s->info.physical_bytes = of->info.physical_bytes;
    copy(s->group, sizeof(s->group), group);
    of->info.snapshot_count++;
    return s;
}

static void check_volume(struct call *call, size_t i, struct volume **of, struct err *e)
{
    char field[32], key[2 * FAKE_NAME_MAX];
    snprintf(field, sizeof(field), "volumes/%zu", i);
    of[i] = volume_find(call->m, call->names[i]);
    if (e->code == 0 && of[i] == NULL)
        err_set(e, -ENOENT, call->flag ? field : "volume", "there is no volume %s",
                call->names[i]);
    snprintf(key, sizeof(key), "%s/%s", call->names[i], call->name);
    if (e->code == 0 && snapshot_find(call->m, key) != NULL)
        err_set(e, -EEXIST, "name", "there is a snapshot %s already", key);
}

static void do_snapshot_create(struct call *call, struct err *e)
{
    struct volume *of[SNAPSHOT_VOLUMES_MAX] = {NULL};
    struct volume *made[SNAPSHOT_VOLUMES_MAX] = {NULL};
    char group[VOLUME_ID_MAX] = "";
    for (size_t i = 0; i < call->name_count; i++)
        check_volume(call, i, of, e);
    if (call->flag)
        make_id(call->m, group);
    for (size_t i = 0; i < call->name_count && e->code == 0 && !call->dry; i++) {
        assert(of[i] != NULL);
        made[i] = fake_snapshot_make(call->m, of[i], call->name, group);
        volume_take_labels(made[i], call);
    }
    bool good = e->code == 0 && !call->dry;
    if (good)
        call_about(call, call->flag ? group : made[0]->info.id);
    call->fn.snapshots(call->arg, good ? made : NULL, good ? call->name_count : 0,
                       err_or_null(e));
}

void snapshot_create(struct lunmgr *m, const struct snapshot_spec *spec,
                     snapshot_done_fn done, void *arg)
{
    struct call *call = call_new(m, do_snapshot_create, arg);
    copy(call->name, sizeof(call->name), spec->name);
    call_copy_names(call, spec->volumes, spec->volume_count);
    call->flag = spec->group || spec->volume_count > 1;
    call_copy_labels(call, spec->labels);
    call->fn.snapshots = done;
    call_post(call);
}

static void do_snapshot_change(struct call *call, struct err *e)
{
    do_change(call, snapshot_find(call->m, call->name), "snapshot", e);
}

void snapshot_change(struct lunmgr *m, const char *key_or_id,
                     const struct volume_change *change, volume_done_fn done, void *arg)
{
    call_post(change_call(m, do_snapshot_change, key_or_id, change, done, arg));
}

static void do_snapshot_delete(struct call *call, struct err *e)
{
    struct volume *s = snapshot_find(call->m, call->name);
    if (e->code == 0 && s == NULL)
        err_set(e, -ENOENT, "snapshot", "there is no snapshot %s", call->name);
    if (e->code == 0 && s != NULL && (s->info.mapping_count > 0 || s->info.is_protected))
        err_set(e, -EBUSY, "snapshot", "snapshot %s is mapped or protected", call->name);
    if (e->code == 0 && !call->dry && s != NULL) {
        call_about(call, s->info.id);
        s->of->info.snapshot_count--;
        *s = (struct volume){0};
    }
    call->fn.done(call->arg, err_or_null(e));
}

void snapshot_delete(struct lunmgr *m, const char *key_or_id, done_fn done, void *arg)
{
    struct call *call = call_new(m, do_snapshot_delete, arg);
    copy(call->name, sizeof(call->name), key_or_id);
    call->fn.done = done;
    call_post(call);
}
