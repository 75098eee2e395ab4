/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of the fake manager. */
#include "fake_priv.h"

FAKE_TABLE(token, tokens)

static void do_token_add(struct call *call, struct err *e)
{
    struct token *token = NULL;
    const struct host *host =
        call->other[0] == '\0' ? NULL : host_find(call->m, call->other);
    if (e->code == 0 && call->other[0] != '\0' && host == NULL)
        err_set(e, -ENOENT, "host", "there is no host %s", call->other);
    if (e->code == 0 && token_find(call->m, call->name) != NULL)
        err_set(e, -EEXIST, "name", "token %s exists", call->name);
    if (e->code == 0 && !call->dry) {
        token = token_place(call->m);
        copy(token->info.name, sizeof(token->info.name), call->name);
        memcpy(token->info.hash, call->hash, sizeof(call->hash));
        token->info.scope = (enum token_scope)call->number;
        if (host != NULL) {
            copy(token->info.host_id, sizeof(token->info.host_id), host->info.id);
            copy(token->info.host_name, sizeof(token->info.host_name), host->info.name);
        }
        token->info.expires_s = (int64_t)call->number2;
    }
    call->fn.token(call->arg, token, err_or_null(e));
}

void token_add(struct lunmgr *m, const struct token_spec *spec, token_done_fn done,
               void *arg)
{
    struct call *call = call_new(m, do_token_add, arg);
    copy(call->name, sizeof(call->name), spec->name);
    copy(call->other, sizeof(call->other), spec->host == NULL ? "" : spec->host);
    memcpy(call->hash, spec->hash, TOKEN_HASH_BYTES);
    call->number = spec->scope;
    call->number2 = (uint64_t)spec->expires_s;
    call->fn.token = done;
    call_post(call);
}

static void do_token_remove(struct call *call, struct err *e)
{
    struct token *token = token_find(call->m, call->name);
    if (e->code == 0 && token == NULL)
        err_set(e, -ENOENT, NULL, "there is no token %s", call->name);
    if (e->code == 0 && !call->dry && token != NULL) {
        call_about(call, token->info.id);
        token->info.id[0] = '\0';
    }
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
