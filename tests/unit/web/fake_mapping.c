/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings of the fake manager. */
#include "fake_priv.h"

static int mapping_order(const struct mapping *a, const struct mapping *b)
{
    int by_host = strcmp(a->info.host_name, b->info.host_name);
    if (by_host != 0 || a->info.lun != b->info.lun)
        return by_host != 0 ? by_host : (int)a->info.lun - (int)b->info.lun;
    if (a->info.own_target != b->info.own_target)
        return a->info.own_target ? 1 : -1;
    return strcmp(a->info.id, b->info.id);
}

struct mapping *mapping_next(struct lunmgr *m, const struct mapping *prev)
{
    struct mapping *best = NULL;
    for (size_t i = 0; i < FAKE_MAX; i++) {
        struct mapping *at = &m->mappings[i];
        if (at->info.id[0] != '\0' && (prev == NULL || mapping_order(at, prev) > 0) &&
            (best == NULL || mapping_order(at, best) < 0))
            best = at;
    }
    return best;
}

void mapping_key(const struct mapping *at, char key[MAPPING_KEY_MAX])
{
    bool own = at->info.own_target;
    snprintf(key, MAPPING_KEY_MAX, "%s,%05u%s%s", at->info.host_name, at->info.lun,
             own ? "," : "", own ? at->info.id : "");
}

struct mapping *mapping_walk(struct lunmgr *m, struct row_walk *w)
{
    struct mapping *best = NULL;
    char best_key[MAPPING_KEY_MAX] = "";
    for (size_t i = 0; i < FAKE_MAX; i++) {
        struct mapping *at = &m->mappings[i];
        char name[MAPPING_KEY_MAX];
        mapping_key(at, name);
        const char *key = walk_key(w, name, at->info.id);
        if (at->info.id[0] == '\0' || strcmp(key, w->after) <= 0 ||
            (best != NULL && strcmp(key, best_key) > 0))
            continue;
        best = at;
        copy(best_key, sizeof(best_key), key);
    }
    return best;
}

struct mapping *mapping_find(struct lunmgr *m, const char *id_or_pair)
{
    for (size_t i = 0; i < FAKE_MAX; i++) {
        struct mapping *at = &m->mappings[i];
        char pair[FAKE_NAME_MAX];
        snprintf(pair, sizeof(pair), "%s%s%s/%s", at->info.volume_name,
                 at->info.snapshot_id[0] == '\0' ? "" : "/", at->info.snapshot_name,
                 at->info.host_name);
        if (at->info.id[0] != '\0' &&
            (strcmp(at->info.id, id_or_pair) == 0 || strcmp(pair, id_or_pair) == 0))
            return at;
    }
    return NULL;
}

static uint16_t free_lun(struct lunmgr *m, const struct host *host)
{
    uint16_t lun = 0;
    for (struct mapping *at = mapping_next(m, NULL); at != NULL;
         at = mapping_next(m, at)) {
        if (at->host == host && !at->info.own_target && at->info.lun == lun)
            lun++;
    }
    return lun;
}

static void do_mapping_create(struct call *call, struct err *e)
{
    struct mapping *mapping = NULL;
    struct volume *volume = call->flag2 ? snapshot_find(call->m, call->name)
                                        : volume_find(call->m, call->name);
    struct host *host = host_find(call->m, call->other);
    if (e->code == 0 && volume == NULL)
        err_set(e, -ENOENT, call->flag2 ? "snapshot" : "volume", "there is no %s",
                call->name);
    if (e->code == 0 && host == NULL)
        err_set(e, -ENOENT, "host", "there is no host %s", call->other);
    for (size_t i = 0; i < FAKE_MAX && e->code == 0; i++) {
        struct mapping *at = &call->m->mappings[i];
        if (at->info.id[0] != '\0' && at->host == host && !at->info.own_target &&
            !call->flag3 && at->info.lun == call->number)
            err_set(e, -EEXIST, "lun", "the LUN is taken");
    }
    if (e->code == 0 && !call->dry && volume != NULL && host != NULL) {
        uint16_t lun = (uint16_t)call->number;
        if (call->number == LUN_ANY)
            lun = call->flag3 ? 0 : free_lun(call->m, host);
        for (size_t i = 0; mapping == NULL; i++) {
            assert(i < FAKE_MAX);
            if (call->m->mappings[i].info.id[0] == '\0')
                mapping = &call->m->mappings[i];
        }
        *mapping = (struct mapping){.volume = volume, .host = host};
        struct mapping_info *info = &mapping->info;
        make_id(call->m, info->id);
        const struct volume *of = volume->of == NULL ? volume : volume->of;
        copy(info->volume_id, VOLUME_ID_MAX, of->info.id);
        copy(info->volume_name, VOLUME_NAME_MAX, of->info.name);
        copy(info->snapshot_id, VOLUME_ID_MAX, of == volume ? "" : volume->info.id);
        copy(info->snapshot_name, VOLUME_NAME_MAX, of == volume ? "" : volume->info.name);
        copy(info->host_id, VOLUME_ID_MAX, host->info.id);
        copy(info->host_name, VOLUME_NAME_MAX, host->info.name);
        info->lun = lun;
        info->read_only = call->flag;
        info->own_target = call->flag3;
        info->created_s = CREATED_S;
        volume->info.mapping_count++;
        host->info.mapping_count++;
    }
    call->fn.mapping(call->arg, mapping, err_or_null(e));
}

void mapping_create(struct lunmgr *m, const struct mapping_spec *spec,
                    mapping_done_fn done, void *arg)
{
    struct call *call = call_new(m, do_mapping_create, arg);
    call->flag2 = spec->snapshot != NULL;
    copy(call->name, sizeof(call->name), call->flag2 ? spec->snapshot : spec->volume);
    copy(call->other, sizeof(call->other), spec->host);
    call->number = spec->lun;
    call->flag = spec->read_only;
    call->flag3 = spec->own_target;
    call->fn.mapping = done;
    call_post(call);
}

static void do_mapping_delete(struct call *call, struct err *e)
{
    struct mapping *mapping = mapping_find(call->m, call->name);
    if (e->code == 0 && mapping == NULL)
        err_set(e, -ENOENT, NULL, "there is no mapping %s", call->name);
    if (e->code == 0 && !call->dry && mapping != NULL) {
        call_about(call, mapping->info.id);
        mapping->volume->info.mapping_count--;
        mapping->host->info.mapping_count--;
        *mapping = (struct mapping){0};
    }
    call->fn.done(call->arg, err_or_null(e));
}

void mapping_delete(struct lunmgr *m, const char *id_or_pair, done_fn done, void *arg)
{
    struct call *call = call_new(m, do_mapping_delete, arg);
    copy(call->name, sizeof(call->name), id_or_pair);
    call->fn.done = done;
    call_post(call);
}

void mapping_describe(const struct mapping *mapping, struct mapping_info *out)
{
    *out = mapping->info;
}

struct host *mapping_host(const struct mapping *mapping)
{
    return mapping->host;
}
