/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts and credentials of the fake manager. The rules of credentials are the real ones.
 */
#include "fake_priv.h"

#include "lunmgr/profile.h"

FAKE_TABLE(host, hosts)

static void host_take_names(struct host *host, const struct call *call)
{
    for (size_t i = 0; i < call->name_count; i++) {
        free(host->names[i]);
        host->names[i] = strdup(call->names[i]);
    }
    host->info.initiators = (const char *const *)host->names;
    host->info.initiator_count = call->name_count;
}

/* As it was, if the call has none. */
static void host_take_profile(struct host *host, const struct call *call)
{
    struct err e;
    if (call->third[0] != '\0' || host->info.profile == NULL)
        host->info.profile = profile_find(call->third, &e)->name;
}

/* What is wrong with the change is the call's failure. */
static void call_change_auth(struct call *call, const struct auth *before,
                             const struct auth_change *change, const char *at)
{
    call->auth = *before;
    if (call->fail.code != 0 || change == NULL)
        return;
    call->fail.code = auth_apply(&call->auth, change, at, &call->fail);
}

void call_change_qos(struct call *call, const struct qos *before,
                     const struct qos_change *change)
{
    call->qos = *before;
    if (call->fail.code == 0)
        call->fail.code = qos_apply(&call->qos, change, &call->fail);
}

static void do_host_create(struct call *call, struct err *e)
{
    struct host *host = NULL;
    if (e->code == 0 && host_find(call->m, call->name) != NULL)
        err_set(e, -EEXIST, "name", "host %s exists", call->name);
    if (e->code == 0 && !call->dry) {
        host = host_place(call->m);
        copy(host->info.name, sizeof(host->info.name), call->name);
        host->auth = call->auth;
        host->info.qos = call->qos;
        host_take_profile(host, call);
        host_take_names(host, call);
    }
    call->fn.host(call->arg, host, err_or_null(e));
}

void host_create(struct lunmgr *m, const struct host_spec *spec, host_done_fn done,
                 void *arg)
{
    struct call *call = call_new(m, do_host_create, arg);
    copy(call->name, sizeof(call->name), spec->name);
    copy(call->third, sizeof(call->third), spec->profile == NULL ? "" : spec->profile);
    call_copy_names(call, spec->initiators, spec->initiator_count);
    call_change_auth(call, &(const struct auth){.chap = false}, spec->auth, "auth");
    call_change_qos(call, &(const struct qos){{0}}, spec->qos);
    call->fn.host = done;
    call_post(call);
}

static void do_host_change(struct call *call, struct err *e)
{
    struct host *host = host_find(call->m, call->name);
    struct host *other = host_find(call->m, call->other);
    if (e->code == 0 && host == NULL)
        err_set(e, -ENOENT, NULL, "there is no host %s", call->name);
    if (e->code == 0 && other != NULL && other != host)
        err_set(e, -EEXIST, "name", "host %s exists", call->other);
    if (e->code == 0 && !call->dry && host != NULL) {
        if (call->other[0] != '\0')
            copy(host->info.name, sizeof(host->info.name), call->other);
        if (call->name_count > 0)
            host_take_names(host, call);
        host_take_profile(host, call);
        host->auth = call->auth;
        host->info.qos = call->qos;
        call_about(call, host->info.id);
    }
    call->fn.host(call->arg, host, err_or_null(e));
}

void host_change(struct lunmgr *m, const char *name_or_id,
                 const struct host_change *change, host_done_fn done, void *arg)
{
    struct call *call = call_new(m, do_host_change, arg);
    const struct host *host = host_find(m, name_or_id);
    copy(call->name, sizeof(call->name), name_or_id);
    copy(call->other, sizeof(call->other), change->name == NULL ? "" : change->name);
    copy(call->third, sizeof(call->third),
         change->profile == NULL ? "" : change->profile);
    call_copy_names(call, change->initiators, change->initiator_count);
    if (host != NULL) {
        call_change_auth(call, &host->auth, change->auth, "auth");
        call_change_qos(call, &host->info.qos, change->qos);
    }
    call->fn.host = done;
    call_post(call);
}

void host_free(struct host *host)
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
    if (e->code == 0 && !call->dry && host != NULL) {
        call_about(call, host->info.id);
        host_free(host);
    }
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
    out->auth = &host->auth;
}

const struct auth *auth_box(const struct lunmgr *m)
{
    return &m->box_auth;
}

static void do_auth_box_change(struct call *call, struct err *e)
{
    if (e->code == 0 && !call->dry)
        call->m->box_auth = call->auth;
    call->fn.done(call->arg, err_or_null(e));
}

void auth_box_change(struct lunmgr *m, const struct auth_change *change, done_fn done,
                     void *arg)
{
    struct call *call = call_new(m, do_auth_box_change, arg);
    call_change_auth(call, &m->box_auth, change, "discovery");
    call->fn.done = done;
    call_post(call);
}
