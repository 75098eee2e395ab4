/* SPDX-License-Identifier: Apache-2.0 */
/* See fake_lunmgr.h. One queue of calls: each does its work and answers when the loop
 * runs its note, so never inside the call; it copies what it was given, so that a test
 * under AddressSanitizer sees a caller that counts on more. */
#include "fake_priv.h"

/* ---- Calls ------------------------------------------------------------------------- */

static void call_run(struct note *note)
{
    struct call *call = container_of(note, struct call, note);
    struct err e = call->fail;
    call->m->last_id[0] = '\0';
    call->work(call, &e);
    if (e.code == 0)
        record_keep(call, call->m->last_id);
    free((char *)(uintptr_t)call->record.request);
    for (size_t i = 0; i < call->name_count; i++)
        free(call->names[i]);
    call->m->under_way--;
    free(call);
}

void call_about(struct call *call, const char *id)
{
    copy(call->m->last_id, sizeof(call->m->last_id), id);
}

struct call *call_begin(struct lunmgr *m, work_fn work, void *arg)
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

struct call *call_new(struct lunmgr *m, work_fn work, void *arg)
{
    struct call *call = call_begin(m, work, arg);
    record_take(call);
    return call;
}

void call_post(struct call *call)
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

void copy(char *out, size_t room, const char *text)
{
    assert(text != NULL && strlen(text) < room);
    snprintf(out, room, "%s", text);
}

void make_id(struct lunmgr *m, char out[VOLUME_ID_MAX])
{
    snprintf(out, VOLUME_ID_MAX, "00000000-0000-4000-8000-%012x", ++m->ids);
    copy(m->last_id, sizeof(m->last_id), out);
}

void call_copy_names(struct call *call, const char *const *names, size_t count)
{
    assert(count <= HOST_INITIATOR_COUNT_MAX);
    call->name_count = count;
    for (size_t i = 0; i < count; i++)
        call->names[i] = strdup(names[i]);
}

const struct err *err_or_null(const struct err *e)
{
    return e->code == 0 ? NULL : e;
}

/* ---- The manager ------------------------------------------------------------------- */

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
    assert(m->diff_count == 0);
    for (size_t i = 0; i < FAKE_MAX; i++)
        host_free(&m->hosts[i]);
    free(m->audits);
    free(m->replays);
    free(m);
}

const char *lunmgr_box_id(const struct lunmgr *m)
{
    (void)m;
    return "00000000-0000-4000-8000-ffffffffffff";
}

void fake_mirror(struct lunmgr *m, const char *state, const char *reason)
{
    m->mirror.state = state;
    copy(m->mirror.reason, sizeof(m->mirror.reason), reason);
}

void lunmgr_mirror(const struct lunmgr *m, struct lunmgr_mirror_info *out)
{
    *out = m->mirror;
    if (out->state == NULL)
        out->state = "off";
}

uint64_t lunmgr_generation(const struct lunmgr *m)
{
    (void)m;
    return FAKE_GENERATION;
}

void lunmgr_set_news(struct lunmgr *m, const struct lunmgr_news *news)
{
    const struct lunmgr_news nobody = {.arg = NULL};
    m->news = news == NULL ? nobody : *news;
}

const struct lunmgr_news *fake_news(struct lunmgr *m)
{
    return &m->news;
}

uint64_t lunmgr_leaf_cache_bytes(const struct lunmgr *m)
{
    (void)m;
    return 4096;
}
