/* SPDX-License-Identifier: Apache-2.0 */
/* API tokens: list, create, delete. The token itself is in the answer that made it and
 * nowhere else. Control thread. */
#include "web/token.h"

#include "web/api.h"
#include "web/resource.h"

const struct schema schema_token_create = {"TokenCreate", {"name"}};

#define TOKEN(member) COLUMN_AT(struct token_info, member)

static const struct column columns[] = {
    {"id", COLUMN_TEXT, TOKEN(id)},
    {"name", COLUMN_TEXT, TOKEN(name), .settable = true},
    {"created", COLUMN_TIME, TOKEN(created_s)},
    {.name = NULL},
};

static void *token_of_name(const struct web *web, const char *name)
{
    return token_find(web->lunmgr, name);
}

static void *token_of_walk(const struct web *web, struct row_walk *walk)
{
    return token_walk(web->lunmgr, walk);
}

static void token_fill(const struct web *web, const void *token, void *info)
{
    (void)web;
    token_describe(token, info);
}

static void token_key(const void *token, const void *info, char key[WEB_AFTER_MAX])
{
    (void)token;
    text_key(key, ((const struct token_info *)info)->name);
}

const struct resource resource_token = {
    .kind = "token",
    .collection = "/v1/tokens",
    .info_bytes = sizeof(struct token_info),
    .columns = columns,
    .find = token_of_name,
    .next = token_of_walk,
    .describe = token_fill,
    .key = token_key,
};

/* The one answer that has the token itself. */
static json_t *new_token_json(const struct web *web, const struct token *token,
                              const struct secret *secret)
{
    json_t *out = resource_json(web, &resource_token, token);
    if (out != NULL &&
        json_object_set_new(out, "token", json_string((const char *)secret->value)) != 0)
        json_decref(TAKE(out));
    return out;
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
    exchange_tag(x, &resource_token, token);
    reply_created(x, resource_token.collection, info.id,
                  new_token_json(x->web, token, &x->secret));
}

void api_token_create(struct exchange *x)
{
    struct input in;
    struct err e = {0};
    uint8_t hash[TOKEN_HASH_BYTES];
    input_begin(&in, x->body, "", &schema_token_create, &x->problem);
    const char *name = input_name(&in, "name", INPUT_REQUIRED);
    if (!input_good(&in))
        reply_problem(x);
    else if (bearer_make(&x->secret, hash, &e) != 0)
        reply_err(x, &e);
    else
        token_add(x->web->lunmgr, name, hash, token_on_added, x);
}

void api_token_delete(struct exchange *x)
{
    token_remove(x->web->lunmgr, x->params[0], reply_done, x);
}
