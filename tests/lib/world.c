/* SPDX-License-Identifier: Apache-2.0 */
/* Taking and comparing worlds. */
#include "tests/lib/world.h"

#include "lunmgr/pool_priv.h"
#include "lunmgr/snapshot.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512U

static void text_add(struct world_volume *wv, const char *key, const char *value)
{
    size_t used = strlen(wv->text);
    snprintf(wv->text + used, sizeof(wv->text) - used, " %s=%s", key, value);
}

static void take_volume(struct world *w, struct pool_rig *r, struct volume *v,
                        const char *kind, const char *name)
{
    assert(w->count < WORLD_VOLUMES_MAX);
    struct world_volume *wv = &w->volumes[w->count++];
    struct volume_info info;
    volume_describe(v, &info);
    *wv = (struct world_volume){.size_bytes = info.size_bytes,
                                .allocated_bytes = info.allocated_bytes};
    snprintf(wv->key, sizeof(wv->key), "%s %s", kind, name);
    snprintf(wv->text, sizeof(wv->text), "snapshots=%u mappings=%u protected=%d",
             info.snapshot_count, info.mapping_count, info.is_protected);
    text_add(wv, "clone_of", info.clone_of[0] == '\0' ? "" : "one");
    for (size_t i = 0; i < info.labels.count; i++)
        text_add(wv, info.labels.labels[i].key, info.labels.labels[i].value);
    wv->data = malloc(info.size_bytes);
    int rc = rig_io_run(r, 0, v, VIO_READ, 0, info.size_bytes, wv->data);
    assert(rc == 0);
}

static void count_layers(struct pool_rig *r, void *arg)
{
    unsigned *count = arg;
    for (const struct layer *l = r->pool->layers; l != NULL; l = l->next)
        ++*count;
}

void world_take(struct world *w, struct pool_rig *r)
{
    struct pool_info info;
    *w = (struct world){.count = 0};
    for (struct volume *v = NULL; (v = volume_next(r->manager, v)) != NULL;)
        take_volume(w, r, v, "volume", v->name);
    for (struct volume *s = NULL; (s = snapshot_next(r->manager, s)) != NULL;)
        take_volume(w, r, s, "snapshot", s->key);
    for (struct volume *v = NULL; (v = volume_trash_next(r->manager, v)) != NULL;)
        take_volume(w, r, v, "trash", v->name);
    pool_rig_at_home(r, count_layers, &w->layer_count);
    pool_describe(r->pool, &info);
    w->used_bytes = info.used_bytes;
}

void world_free(struct world *w)
{
    for (unsigned i = 0; i < w->count; i++)
        free(w->volumes[i].data);
    w->count = 0;
}

static bool differs(const char *what, const char *key, const char *how)
{
    fprintf(stderr, "%s: %s: %s\n", what, key, how);
    return false;
}

static bool volume_equal(const struct world_volume *a, const struct world_volume *b,
                         enum world_depth depth, const char *what)
{
    if (strcmp(a->key, b->key) != 0)
        return differs(what, a->key, b->key);
    if (strcmp(a->text, b->text) != 0)
        return differs(what, a->text, b->text);
    if (a->size_bytes != b->size_bytes)
        return differs(what, a->key, "another size");
    for (uint64_t at = 0; at < a->size_bytes; at += SECTOR) {
        char how[64];
        snprintf(how, sizeof(how), "byte %llu is %u, not %u", (unsigned long long)at,
                 a->data[at], b->data[at]);
        if (memcmp(a->data + at, b->data + at, SECTOR) != 0)
            return differs(what, a->key, how);
    }
    if (depth == WORLD_WHOLE && a->allocated_bytes != b->allocated_bytes)
        return differs(what, a->key, "other space");
    return true;
}

bool world_equal(const struct world *a, const struct world *b, enum world_depth depth,
                 const char *what)
{
    char how[64];
    for (unsigned i = 0; i < a->count && i < b->count; i++)
        if (!volume_equal(&a->volumes[i], &b->volumes[i], depth, what))
            return false;
    snprintf(how, sizeof(how), "%u, not %u", a->count, b->count);
    if (a->count != b->count)
        return differs(what, "volumes and snapshots", how);
    snprintf(how, sizeof(how), "%u, not %u", a->layer_count, b->layer_count);
    if (depth == WORLD_WHOLE && a->layer_count != b->layer_count)
        return differs(what, "layers", how);
    snprintf(how, sizeof(how), "%llu, not %llu", (unsigned long long)a->used_bytes,
             (unsigned long long)b->used_bytes);
    if (depth == WORLD_WHOLE && a->used_bytes != b->used_bytes)
        return differs(what, "bytes used", how);
    return true;
}

bool world_between(const struct world *w, const struct world *a, const struct world *b)
{
    bool all = w->count == a->count && w->count == b->count;
    for (unsigned i = 0; all && i < w->count; i++) {
        const struct world_volume *v = &w->volumes[i];
        all = strcmp(v->key, a->volumes[i].key) == 0 &&
              v->size_bytes == a->volumes[i].size_bytes &&
              v->size_bytes == b->volumes[i].size_bytes;
        for (uint64_t at = 0; all && at < v->size_bytes; at += SECTOR)
            all = memcmp(v->data + at, a->volumes[i].data + at, SECTOR) == 0 ||
                  memcmp(v->data + at, b->volumes[i].data + at, SECTOR) == 0;
    }
    return all;
}
