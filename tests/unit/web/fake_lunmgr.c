/* SPDX-License-Identifier: Apache-2.0 */
/* See fake_lunmgr.h. One queue of calls: each does its work and answers when the loop
 * runs its note, so never inside the call; it copies what it was given, so that a test
 * under AddressSanitizer sees a caller that counts on more. */
#include "fake_lunmgr.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_MAX      64
#define SESSIONS_MAX  8
#define FAKE_NAME_MAX 160
#define CREATED_S     1714564800 /* 2024-05-01T12:00:00Z */

struct pool {
    struct pool_info info; /* "" id: a free place */
};
struct volume {
    struct volume_info info;
};
struct host {
    struct host_info info;
    char *names[HOST_INITIATOR_COUNT_MAX];
};
struct mapping {
    struct mapping_info info;
    struct volume *volume;
    struct host *host;
};
struct token {
    struct token_info info;
};

struct call;
typedef void (*work_fn)(struct call *call, struct err *e);

struct call {
    struct note note;
    struct call *next;
    struct lunmgr *m;
    struct target *t;
    work_fn work;
    struct err fail; /* code 0: none */
    char name[FAKE_NAME_MAX], other[FAKE_NAME_MAX], path[POOL_PATH_MAX];
    uint64_t number, number2;
    bool flag;
    uint8_t hash[TOKEN_HASH_BYTES];
    char *names[HOST_INITIATOR_COUNT_MAX];
    size_t name_count;
    void *arg;
    union {
        pool_done_fn pool;
        pool_check_fn check;
        volume_done_fn volume;
        host_done_fn host;
        mapping_done_fn mapping;
        token_done_fn token;
        done_fn done;
        target_sessions_fn sessions;
        void (*kicked)(void *arg, bool found);
    } fn;
};

struct lunmgr {
    struct loop *loop;
    struct pool pools[FAKE_MAX];
    struct volume volumes[FAKE_MAX];
    struct host hosts[FAKE_MAX];
    struct mapping mappings[FAKE_MAX];
    struct token tokens[FAKE_MAX];
    unsigned ids;
    struct err fail;
    bool hold;
    struct call *held;
    size_t under_way;
};

struct target {
    struct lunmgr *m;
    char portal[TARGET_ADDRESS_MAX];
    struct target_session_info sessions[SESSIONS_MAX];
    size_t session_count;
};

/* ---- Calls ------------------------------------------------------------------------- */

static void call_run(struct note *note)
{
    struct call *call = container_of(note, struct call, note);
    struct err e = call->fail;
    call->work(call, &e);
    for (size_t i = 0; i < call->name_count; i++)
        free(call->names[i]);
    call->m->under_way--;
    free(call);
}

static struct call *call_new(struct lunmgr *m, work_fn work, void *arg)
{
    struct call *call = calloc(1, sizeof(*call));
    assert(call != NULL);
    call->m = m;
    call->work = work;
    call->arg = arg;
    call->note.run = call_run;
    call->fail = m->fail;
    m->fail = (struct err){0};
    m->under_way++;
    return call;
}

static void call_post(struct call *call)
{
    struct lunmgr *m = call->m;
    if (!m->hold) {
        loop_post(m->loop, &call->note);
        return;
    }
    struct call **at = &m->held;
    while (*at != NULL)
        at = &(*at)->next;
    *at = call;
}

void fake_hold(struct lunmgr *m)
{
    m->hold = true;
}

void fake_release(struct lunmgr *m)
{
    m->hold = false;
    while (m->held != NULL) {
        struct call *call = m->held;
        m->held = call->next;
        loop_post(m->loop, &call->note);
    }
}

size_t fake_held(const struct lunmgr *m)
{
    size_t count = 0;
    for (const struct call *call = m->held; call != NULL; call = call->next)
        count++;
    return count;
}

void fake_fail_next(struct lunmgr *m, int code, const char *field, const char *text)
{
    m->fail = (struct err){0};
    if (code != 0)
        err_set(&m->fail, code, field, "%s", text);
}

static void copy(char *out, size_t room, const char *text)
{
    assert(text != NULL && strlen(text) < room);
    snprintf(out, room, "%s", text);
}

static void make_id(struct lunmgr *m, char out[VOLUME_ID_MAX])
{
    snprintf(out, VOLUME_ID_MAX, "00000000-0000-4000-8000-%012x", ++m->ids);
}

/* ---- Tables ------------------------------------------------------------------------ */

/* find, next in order of name, and a free place, of one kind of object. */
#define TABLE(kind, table)                                                               \
    struct kind *kind##_find(struct lunmgr *m, const char *name)                         \
    {                                                                                    \
        for (size_t i = 0; i < FAKE_MAX; i++) {                                          \
            struct kind *at = &m->table[i];                                              \
            if (at->info.id[0] != '\0' &&                                                \
                (strcmp(at->info.id, name) == 0 || strcmp(at->info.name, name) == 0))    \
                return at;                                                               \
        }                                                                                \
        return NULL;                                                                     \
    }                                                                                    \
    struct kind *kind##_next(struct lunmgr *m, const struct kind *prev)                  \
    {                                                                                    \
        struct kind *best = NULL;                                                        \
        for (size_t i = 0; i < FAKE_MAX; i++) {                                          \
            struct kind *at = &m->table[i];                                              \
            if (at->info.id[0] != '\0' &&                                                \
                (prev == NULL || strcmp(at->info.name, prev->info.name) > 0) &&          \
                (best == NULL || strcmp(at->info.name, best->info.name) < 0))            \
                best = at;                                                               \
        }                                                                                \
        return best;                                                                     \
    }                                                                                    \
    static struct kind *kind##_place(struct lunmgr *m)                                   \
    {                                                                                    \
        size_t i = 0;                                                                    \
        while (m->table[i].info.id[0] != '\0') {                                         \
            i++;                                                                         \
            assert(i < FAKE_MAX);                                                        \
        }                                                                                \
        m->table[i] = (struct kind){.info = {.created_s = CREATED_S}};                   \
        make_id(m, m->table[i].info.id);                                                 \
        return &m->table[i];                                                             \
    }

TABLE(pool, pools)
TABLE(volume, volumes)
TABLE(host, hosts)
TABLE(token, tokens)

static const struct err *err_or_null(const struct err *e)
{
    return e->code == 0 ? NULL : e;
}

/* ---- Pools ------------------------------------------------------------------------- */

static void do_pool_create(struct call *call, struct err *e)
{
    struct pool *pool = NULL;
    if (e->code == 0 && pool_find(call->m, call->name) != NULL)
        err_set(e, -EEXIST, "name", "pool %s exists", call->name);
    if (e->code == 0) {
        pool = pool_place(call->m);
        struct pool_info *info = &pool->info;
        copy(info->name, sizeof(info->name), call->name);
        info->state = "online";
        info->size_bytes = info->free_bytes = call->number;
        info->device_count = 1;
        make_id(call->m, info->devices[0].id);
        copy(info->devices[0].path, POOL_PATH_MAX, call->path);
        info->devices[0].size_bytes = call->number;
    }
    call->fn.pool(call->arg, pool, err_or_null(e));
}

void pool_create(struct lunmgr *m, const struct pool_spec *spec, pool_done_fn done,
                 void *arg)
{
    struct call *call = call_new(m, do_pool_create, arg);
    assert(spec->device_count == 1);
    copy(call->name, sizeof(call->name), spec->name);
    copy(call->path, sizeof(call->path), spec->devices[0].path);
    call->number = spec->devices[0].size_bytes;
    call->fn.pool = done;
    call_post(call);
}

static void do_pool_delete(struct call *call, struct err *e)
{
    struct pool *pool = pool_find(call->m, call->name);
    if (e->code == 0 && pool == NULL)
        err_set(e, -ENOENT, NULL, "there is no pool %s", call->name);
    if (e->code == 0 && pool != NULL && pool->info.volume_count > 0)
        err_set(e, -EBUSY, NULL, "pool %s has volumes", call->name);
    if (e->code == 0 && pool != NULL)
        pool->info.id[0] = '\0';
    call->fn.done(call->arg, err_or_null(e));
}

void pool_delete(struct lunmgr *m, const char *name_or_id, done_fn done, void *arg)
{
    struct call *call = call_new(m, do_pool_delete, arg);
    copy(call->name, sizeof(call->name), name_or_id);
    call->fn.done = done;
    call_post(call);
}

static void do_pool_check(struct call *call, struct err *e)
{
    const struct pool_check_report report = {.named_extents = 7, .used_extents = 7};
    if (e->code == 0 && pool_find(call->m, call->name) == NULL)
        err_set(e, -ENOENT, NULL, "there is no pool %s", call->name);
    call->fn.check(call->arg, e->code == 0 ? &report : NULL, err_or_null(e));
}

void pool_check(struct lunmgr *m, const char *name_or_id, pool_check_fn done, void *arg)
{
    struct call *call = call_new(m, do_pool_check, arg);
    copy(call->name, sizeof(call->name), name_or_id);
    call->fn.check = done;
    call_post(call);
}

void pool_describe(const struct pool *pool, struct pool_info *out)
{
    *out = pool->info;
}

/* ---- Volumes ----------------------------------------------------------------------- */

static void do_volume_create(struct call *call, struct err *e)
{
    struct volume *volume = NULL;
    struct pool *pool = pool_find(call->m, call->other);
    if (e->code == 0 && pool == NULL)
        err_set(e, -ENOENT, "pool", "there is no pool %s", call->other);
    if (e->code == 0 && volume_find(call->m, call->name) != NULL)
        err_set(e, -EEXIST, "name", "volume %s exists", call->name);
    if (e->code == 0 && pool != NULL) {
        volume = volume_place(call->m);
        struct volume_info *info = &volume->info;
        copy(info->name, sizeof(info->name), call->name);
        copy(info->pool_id, sizeof(info->pool_id), pool->info.id);
        copy(info->pool_name, sizeof(info->pool_name), pool->info.name);
        info->size_bytes = call->number;
        info->block_bytes = (uint32_t)call->number2;
        snprintf(info->naa, sizeof(info->naa), "6%031x", call->m->ids);
        snprintf(info->serial, sizeof(info->serial), "%016x", call->m->ids);
        pool->info.volume_count++;
        pool->info.provisioned_bytes += call->number;
    }
    call->fn.volume(call->arg, volume, err_or_null(e));
}

void volume_create(struct lunmgr *m, const struct volume_spec *spec, volume_done_fn done,
                   void *arg)
{
    struct call *call = call_new(m, do_volume_create, arg);
    copy(call->name, sizeof(call->name), spec->name);
    copy(call->other, sizeof(call->other), spec->pool);
    call->number = spec->size_bytes;
    call->number2 = spec->block_bytes;
    call->fn.volume = done;
    call_post(call);
}

static void do_volume_delete(struct call *call, struct err *e)
{
    struct volume *volume = volume_find(call->m, call->name);
    if (e->code == 0 && volume == NULL)
        err_set(e, -ENOENT, NULL, "there is no volume %s", call->name);
    if (e->code == 0 && volume != NULL && volume->info.mapping_count > 0)
        err_set(e, -EBUSY, NULL, "volume %s is mapped", call->name);
    if (e->code == 0 && volume != NULL) {
        pool_find(call->m, volume->info.pool_id)->info.volume_count--;
        volume->info.id[0] = '\0';
    }
    call->fn.done(call->arg, err_or_null(e));
}

void volume_delete(struct lunmgr *m, const char *name_or_id, bool purge, done_fn done,
                   void *arg)
{
    (void)purge;
    struct call *call = call_new(m, do_volume_delete, arg);
    copy(call->name, sizeof(call->name), name_or_id);
    call->fn.done = done;
    call_post(call);
}

void volume_describe(const struct volume *volume, struct volume_info *out)
{
    *out = volume->info;
}

const char *volume_id(const struct volume *volume)
{
    return volume->info.id;
}

/* ---- Hosts ------------------------------------------------------------------------- */

static void do_host_create(struct call *call, struct err *e)
{
    struct host *host = NULL;
    if (e->code == 0 && host_find(call->m, call->name) != NULL)
        err_set(e, -EEXIST, "name", "host %s exists", call->name);
    if (e->code == 0) {
        host = host_place(call->m);
        copy(host->info.name, sizeof(host->info.name), call->name);
        for (size_t i = 0; i < call->name_count; i++)
            host->names[i] = strdup(call->names[i]);
        host->info.initiators = (const char *const *)host->names;
        host->info.initiator_count = call->name_count;
    }
    call->fn.host(call->arg, host, err_or_null(e));
}

void host_create(struct lunmgr *m, const struct host_spec *spec, host_done_fn done,
                 void *arg)
{
    struct call *call = call_new(m, do_host_create, arg);
    copy(call->name, sizeof(call->name), spec->name);
    call->name_count = spec->initiator_count;
    for (size_t i = 0; i < spec->initiator_count; i++)
        call->names[i] = strdup(spec->initiators[i]);
    call->fn.host = done;
    call_post(call);
}

static void host_free(struct host *host)
{
    for (size_t i = 0; i < HOST_INITIATOR_COUNT_MAX; i++)
        free(host->names[i]);
    *host = (struct host){0};
}

static void do_host_delete(struct call *call, struct err *e)
{
    struct host *host = host_find(call->m, call->name);
    if (e->code == 0 && host == NULL)
        err_set(e, -ENOENT, NULL, "there is no host %s", call->name);
    if (e->code == 0 && host != NULL && host->info.mapping_count > 0)
        err_set(e, -EBUSY, NULL, "host %s has mappings", call->name);
    if (e->code == 0 && host != NULL)
        host_free(host);
    call->fn.done(call->arg, err_or_null(e));
}

void host_delete(struct lunmgr *m, const char *name_or_id, done_fn done, void *arg)
{
    struct call *call = call_new(m, do_host_delete, arg);
    copy(call->name, sizeof(call->name), name_or_id);
    call->fn.done = done;
    call_post(call);
}

void host_describe(const struct host *host, struct host_info *out)
{
    *out = host->info;
}

/* ---- Mappings ---------------------------------------------------------------------- */

static int mapping_order(const struct mapping *a, const struct mapping *b)
{
    int by_host = strcmp(a->info.host_name, b->info.host_name);
    return by_host != 0 ? by_host : (int)a->info.lun - (int)b->info.lun;
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

struct mapping *mapping_find(struct lunmgr *m, const char *id_or_pair)
{
    for (size_t i = 0; i < FAKE_MAX; i++) {
        struct mapping *at = &m->mappings[i];
        char pair[FAKE_NAME_MAX];
        snprintf(pair, sizeof(pair), "%s/%s", at->info.volume_name, at->info.host_name);
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
        if (at->host == host && at->info.lun == lun)
            lun++;
    }
    return lun;
}

static void do_mapping_create(struct call *call, struct err *e)
{
    struct mapping *mapping = NULL;
    struct volume *volume = volume_find(call->m, call->name);
    struct host *host = host_find(call->m, call->other);
    if (e->code == 0 && volume == NULL)
        err_set(e, -ENOENT, "volume", "there is no volume %s", call->name);
    if (e->code == 0 && host == NULL)
        err_set(e, -ENOENT, "host", "there is no host %s", call->other);
    for (size_t i = 0; i < FAKE_MAX && e->code == 0; i++) {
        struct mapping *at = &call->m->mappings[i];
        if (at->info.id[0] != '\0' && at->host == host && at->info.lun == call->number)
            err_set(e, -EEXIST, "lun", "the LUN is taken");
    }
    if (e->code == 0 && volume != NULL && host != NULL) {
        uint16_t lun =
            call->number == LUN_ANY ? free_lun(call->m, host) : (uint16_t)call->number;
        for (size_t i = 0; mapping == NULL; i++) {
            assert(i < FAKE_MAX);
            if (call->m->mappings[i].info.id[0] == '\0')
                mapping = &call->m->mappings[i];
        }
        *mapping = (struct mapping){.volume = volume, .host = host};
        struct mapping_info *info = &mapping->info;
        make_id(call->m, info->id);
        copy(info->volume_id, VOLUME_ID_MAX, volume->info.id);
        copy(info->volume_name, VOLUME_NAME_MAX, volume->info.name);
        copy(info->host_id, VOLUME_ID_MAX, host->info.id);
        copy(info->host_name, VOLUME_NAME_MAX, host->info.name);
        info->lun = lun;
        info->read_only = call->flag;
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
    copy(call->name, sizeof(call->name), spec->volume);
    copy(call->other, sizeof(call->other), spec->host);
    call->number = spec->lun;
    call->flag = spec->read_only;
    call->fn.mapping = done;
    call_post(call);
}

static void do_mapping_delete(struct call *call, struct err *e)
{
    struct mapping *mapping = mapping_find(call->m, call->name);
    if (e->code == 0 && mapping == NULL)
        err_set(e, -ENOENT, NULL, "there is no mapping %s", call->name);
    if (e->code == 0 && mapping != NULL) {
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

/* ---- Tokens ------------------------------------------------------------------------ */

static void do_token_add(struct call *call, struct err *e)
{
    struct token *token = NULL;
    if (e->code == 0 && token_find(call->m, call->name) != NULL)
        err_set(e, -EEXIST, "name", "token %s exists", call->name);
    if (e->code == 0) {
        token = token_place(call->m);
        copy(token->info.name, sizeof(token->info.name), call->name);
        memcpy(token->info.hash, call->hash, sizeof(call->hash));
    }
    call->fn.token(call->arg, token, err_or_null(e));
}

void token_add(struct lunmgr *m, const char *name, const uint8_t hash[TOKEN_HASH_BYTES],
               token_done_fn done, void *arg)
{
    struct call *call = call_new(m, do_token_add, arg);
    copy(call->name, sizeof(call->name), name);
    memcpy(call->hash, hash, TOKEN_HASH_BYTES);
    call->fn.token = done;
    call_post(call);
}

static void do_token_remove(struct call *call, struct err *e)
{
    struct token *token = token_find(call->m, call->name);
    if (e->code == 0 && token == NULL)
        err_set(e, -ENOENT, NULL, "there is no token %s", call->name);
    if (e->code == 0 && token != NULL)
        token->info.id[0] = '\0';
    call->fn.done(call->arg, err_or_null(e));
}

void token_remove(struct lunmgr *m, const char *name_or_id, done_fn done, void *arg)
{
    struct call *call = call_new(m, do_token_remove, arg);
    copy(call->name, sizeof(call->name), name_or_id);
    call->fn.done = done;
    call_post(call);
}

void token_describe(const struct token *token, struct token_info *out)
{
    *out = token->info;
}

/* ---- The manager and the target ---------------------------------------------------- */

struct lunmgr *fake_lunmgr_create(struct loop *loop)
{
    struct lunmgr *m = calloc(1, sizeof(*m));
    assert(m != NULL);
    m->loop = loop;
    return m;
}

void fake_lunmgr_destroy(struct lunmgr *m)
{
    assert(m->under_way == 0);
    for (size_t i = 0; i < FAKE_MAX; i++)
        host_free(&m->hosts[i]);
    free(m);
}

const char *lunmgr_box_id(const struct lunmgr *m)
{
    (void)m;
    return "00000000-0000-4000-8000-ffffffffffff";
}

struct target *fake_target_create(struct lunmgr *m)
{
    struct target *t = calloc(1, sizeof(*t));
    assert(t != NULL);
    t->m = m;
    fake_target_set_portal(t, "127.0.0.1:3260");
    return t;
}

void fake_target_destroy(struct target *t)
{
    free(t);
}

void fake_target_add_session(struct target *t, uint64_t id, const char *initiator,
                             const char *host)
{
    assert(t->session_count < SESSIONS_MAX);
    struct target_session_info *s = &t->sessions[t->session_count++];
    *s = (struct target_session_info){
        .id = id,
        .isid = "00023d000000",
        .tsih = 1,
        .discovery = host[0] == '\0',
        .address = "127.0.0.1:40000",
        .portal = "127.0.0.1:3260",
        .since_s = CREATED_S,
        .max_burst_bytes = 262144,
    };
    copy(s->initiator, sizeof(s->initiator), initiator);
    copy(s->host_name, sizeof(s->host_name), host);
}

void fake_target_set_portal(struct target *t, const char *portal)
{
    copy(t->portal, sizeof(t->portal), portal);
}

const char *target_name(const struct target *t)
{
    (void)t;
    return "iqn.2024-01.com.example:ashlar";
}

size_t target_portal_count(const struct target *t)
{
    (void)t;
    return 1;
}

const char *target_portal(const struct target *t, size_t index)
{
    assert(index == 0);
    return t->portal;
}

void target_counters(const struct target *t, struct target_counters *out)
{
    *out =
        (struct target_counters){.commands = 42, .sessions = (uint32_t)t->session_count};
}

static void do_session_list(struct call *call, struct err *e)
{
    (void)e;
    call->fn.sessions(call->arg, call->t->sessions, call->t->session_count);
}

void target_list_sessions(struct target *t, target_sessions_fn done, void *arg)
{
    struct call *call = call_new(t->m, do_session_list, arg);
    call->t = t;
    call->fn.sessions = done;
    call_post(call);
}

static void do_session_kick(struct call *call, struct err *e)
{
    struct target *t = call->t;
    bool found = false;
    (void)e;
    for (size_t i = 0; i < t->session_count && !found; i++) {
        found = t->sessions[i].id == call->number;
        if (found)
            t->sessions[i] = t->sessions[--t->session_count];
    }
    call->fn.kicked(call->arg, found);
}

void target_kick_session(struct target *t, uint64_t id,
                         void (*done)(void *arg, bool found), void *arg)
{
    struct call *call = call_new(t->m, do_session_kick, arg);
    call->t = t;
    call->number = id;
    call->fn.kicked = done;
    call_post(call);
}
