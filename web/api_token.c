/* SPDX-License-Identifier: Apache-2.0 */
/* API tokens: list, create, delete. The token itself is in the answer that made it and
 * nowhere else. Control thread. */
#include "web/token.h"

#include "web/api.h"
#include "web/page.h"

const struct schema schema_token_create = {"TokenCreate", {"name"}};

/* secret: NULL to leave it out. */
static json_t *token_json(const struct token *token, const struct secret *secret)
{
    struct token_info info;
    char created[TIME_TEXT_MAX];
    token_describe(token, &info);
    json_t *out = json_pack("{s:s, s:s, s:s}", "id", info.id, "name", info.name,
                            "created", time_text(created, info.created_s));
    if (out != NULL && secret != NULL &&
        json_object_set_new(out, "token", json_string((const char *)secret->value)) !=
            0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

void api_token_list(struct exchange *x)
{
    struct page page;
    struct lunmgr *m = x->web->lunmgr;
    enum page_step step = PAGE_SKIP;
    page_begin(&page, x);
    for (struct token *token = token_next(m, NULL); token != NULL && step != PAGE_STOP;
         token = token_next(m, token)) {
        struct token_info info;
        token_describe(token, &info);
        step = page_step(&page, info.name);
        if (step == PAGE_TAKE)
            page_add(&page, token_json(token, NULL));
    }
    page_reply(&page, x);
}

static void token_on_added(void *arg, struct token *token, const struct err *e)
{
    struct exchange *x = arg;
    struct token_info info;
    if (!exchange_is_live(x))
        return;
    if (e != NULL) {
        reply_err(x, e);
        return;
    }
    token_describe(token, &info);
    reply_created(x, "/v1/tokens", info.id, token_json(token, &x->secret));
}

void api_token_create(struct exchange *x)
{
    struct input in;
    struct err e = {0};
    uint8_t hash[TOKEN_HASH_BYTES];
    input_begin(&in, x->body, "", &schema_token_create, &x->problem);
    struct token_spec spec = {.name = input_name(&in, "name", INPUT_REQUIRED),
                              .hash = hash,
                              .scope = TOKEN_ADMIN};
    if (!input_good(&in))
        reply_problem(x);
    else if (bearer_make(&x->secret, hash, &e) != 0)
        reply_err(x, &e);
    else
        token_add(x->web->lunmgr, &spec, token_on_added, x);
}

void api_token_delete(struct exchange *x)
{
    token_remove(x->web->lunmgr, x->params[0], reply_done, x);
}
