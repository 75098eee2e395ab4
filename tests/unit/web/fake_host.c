/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts of the fake manager. */
#include "fake_priv.h"

FAKE_TABLE(host, hosts)

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
    call_copy_names(call, spec->initiators, spec->initiator_count);
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
