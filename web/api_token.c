/* SPDX-License-Identifier: Apache-2.0 */
/* API tokens: list, show, create, delete. The token itself is in the answer that made it
 * and nowhere else. Control thread. */
#include "web/token.h"

#include "web/api.h"
#include "web/resource.h"

const struct schema schema_token_create = {"TokenCreate",
                                           {"name", "scope", "host", "expires"}};

#define TOKEN_SCOPE_BYTES_MAX 16
#define TOKEN(member)         COLUMN_AT(struct token_info, member)

static const char *scope_of(const void *info)
{
    return token_scope_text(((const struct token_info *)info)->scope);
}

static const struct column columns[] = {
    {"id", COLUMN_TEXT, TOKEN(id)},
    {"name", COLUMN_TEXT, TOKEN(name), .settable = true},
    {"scope", COLUMN_TEXT, .text = scope_of, .settable = true},
    {"host", COLUMN_TEXT, TOKEN(host_name), .nullable = true},
    {"host_id", COLUMN_TEXT, TOKEN(host_id), .nullable = true, .settable = true},
    {"created", COLUMN_TIME, TOKEN(created_s)},
    {"expires", COLUMN_TIME, TOKEN(expires_s), .nullable = true, .settable = true},
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
    if (!exchange_resume(x, e))
        return;
    token_describe(token, &info);
    exchange_tag(x, &resource_token, token);
    reply_created(x, resource_token.collection, info.id,
                  new_token_json(x->web, token, &x->secret));
}

/* admin, unless it is said. */
static enum token_scope scope_read(struct input *in)
{
    enum token_scope scope = TOKEN_ADMIN;
    const char *text = input_string(in, "scope", INPUT_OPTIONAL, TOKEN_SCOPE_BYTES_MAX);
    if (text != NULL && !token_scope_parse(text, &scope))
        input_refuse(in, "scope", "read, provision, admin or attach",
                     "there is no such scope");
    return scope;
}

static void host_read(struct input *in, struct token_spec *spec)
{
    bool attaches = spec->scope == TOKEN_ATTACH;
    spec->host = input_reference(in, "host", attaches ? INPUT_REQUIRED : INPUT_OPTIONAL);
    if (!attaches && spec->host != NULL)
        input_refuse(in, "host", "the scope attach, or the member left out",
                     "only a token that attaches is for one host");
}

void api_token_create(struct exchange *x)
{
    struct input in;
    struct err e = {0};
    uint8_t hash[TOKEN_HASH_BYTES];
    struct token_spec spec = {.hash = hash};
    input_begin(&in, x->body, "", &schema_token_create, &x->problem);
    spec.name = input_name(&in, "name", INPUT_REQUIRED);
    spec.scope = scope_read(&in);
    host_read(&in, &spec);
    spec.expires_s = input_time(&in, "expires");
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
