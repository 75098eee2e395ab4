/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials, read and told (see auth_in.h). */
#include "web/auth_in.h"

#include "web/json_out.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

static const char method_none[] = "none";
static const char method_chap[] = "chap";

static void method_read(struct input *in, struct auth_in *out)
{
    const char *method =
        input_string(in, "method", INPUT_OPTIONAL, sizeof(method_none) - 1);
    if (method == NULL)
        return;
    out->chap = strcmp(method, method_chap) == 0;
    if (out->chap || strcmp(method, method_none) == 0)
        out->change.chap = &out->chap;
    else
        input_refuse(in, "method", "none or chap", "there is no such method");
}

/* A secret in its right length; the rest is lunmgr's to judge. */
static const char *secret_read(struct input *in, const char *member)
{
    return input_string(in, member, INPUT_OPTIONAL, AUTH_SECRET_BYTES_MAX);
}

bool auth_read(struct input *in, const char *member, const struct schema *schema,
               struct auth_in *out)
{
    char base[WEB_PROBLEM_POINTER_MAX];
    struct input at;
    *out = (struct auth_in){.chap = false};
    const json_t *object = input_object(in, member);
    if (object == NULL)
        return false;
    snprintf(base, sizeof(base), "/%s", member);
    input_begin(&at, object, base, schema, in->problem);
    method_read(&at, out);
    out->change.user = input_string(&at, "user", INPUT_OPTIONAL, AUTH_USER_MAX - 1);
    out->change.secret = secret_read(&at, "secret");
    out->change.mutual_user =
        input_string(&at, "mutual_user", INPUT_OPTIONAL, AUTH_USER_MAX - 1);
    out->change.mutual_secret = secret_read(&at, "mutual_secret");
    out->change.forbid_md5 = input_flag(&at, "forbid_md5", &out->forbid_md5);
    return input_good(in);
}

static void text_forget(const char *text)
{
    if (text != NULL)
        explicit_bzero((char *)(uintptr_t)text, strlen(text));
}

void auth_forget(const struct auth_in *in)
{
    text_forget(in->change.secret);
    text_forget(in->change.mutual_secret);
}

json_t *auth_json(const struct auth *auth)
{
    return json_pack("{s:s, s:s?, s:b, s:s?, s:b}", "method",
                     auth->chap ? method_chap : method_none, "user",
                     text_or_null(auth->user), "has_secret", auth->secret.bytes > 0,
                     "mutual_user", text_or_null(auth->mutual_user), "has_mutual_secret",
                     auth->mutual_secret.bytes > 0);
}

static bool secret_is(const struct secret *secret, const json_t *said)
{
    size_t bytes = json_string_length(said);
    return json_is_string(said) && bytes == secret->bytes &&
           CRYPTO_memcmp(json_string_value(said), secret->value, bytes) == 0;
}

enum agreement auth_agrees(const struct auth *auth, const json_t *said)
{
    const char *member;
    json_t *value, *shown = auth_json(auth);
    bool good = shown != NULL && json_is_object(said);
    json_object_foreach((json_t *)(uintptr_t)said, member, value)
    {
        if (strcmp(member, "secret") == 0)
            good = good && secret_is(&auth->secret, value);
        else if (strcmp(member, "mutual_secret") == 0)
            good = good && secret_is(&auth->mutual_secret, value);
        else if (strcmp(member, "forbid_md5") == 0)
            good = good && json_equal(json_boolean(auth->forbid_md5), value);
        else
            good = good && json_equal(json_object_get(shown, member), value);
    }
    json_decref(shown);
    return good ? AGREEMENT_YES : AGREEMENT_NO;
}

json_t *auth_revision_json(const struct web *web, const void *auth)
{
    (void)web;
    return json_integer((json_int_t)((const struct auth *)auth)->revision);
}
