/* SPDX-License-Identifier: Apache-2.0 */
/* Bearer tokens by OpenSSL: 256 random bits, so that one SHA-256 is a good enough hash,
 * and a comparison whose time says nothing. Control thread. */
#include "web/token.h"

#include "base/digest.h"
#include "web/base64.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define RANDOM_BYTES 32

static_assert(TOKEN_HASH_BYTES == DIGEST_BYTES, "SHA-256");
static_assert(sizeof(BEARER_PREFIX) - 1 + BASE64_TEXT_BYTES(RANDOM_BYTES) == BEARER_BYTES,
              "base64url without padding");

int bearer_make(struct secret *out, uint8_t hash[TOKEN_HASH_BYTES], struct err *e)
{
    uint8_t random[RANDOM_BYTES];
    char *text = (char *)out->value;
    *out = (struct secret){.bytes = BEARER_BYTES};
    if (RAND_priv_bytes(random, sizeof(random)) != 1)
        return err_set(e, -EIO, NULL, "no random bytes for a token");
    memcpy(text, BEARER_PREFIX, sizeof(BEARER_PREFIX));
    base64url_put(random, sizeof(random), text + sizeof(BEARER_PREFIX) - 1);
    OPENSSL_cleanse(random, sizeof(random));
    digest_of(text, BEARER_BYTES, hash);
    return 0;
}

static const char *const scopes[] = {
    [TOKEN_READ] = "read",
    [TOKEN_PROVISION] = "provision",
    [TOKEN_ADMIN] = "admin",
    [TOKEN_ATTACH] = "attach",
};

const char *token_scope_text(enum token_scope scope)
{
    return scopes[scope];
}

bool token_scope_parse(const char *text, enum token_scope *out)
{
    for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
        if (strcmp(scopes[i], text) == 0) {
            *out = (enum token_scope)i;
            return true;
        }
    }
    return false;
}

/* False: the header carries nothing that has the form of a token. */
static bool header_hash(const char *authorization, uint8_t hash[TOKEN_HASH_BYTES])
{
    static const char scheme[] = "Bearer ";
    if (authorization == NULL ||
        strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
        return false;
    const char *text = authorization + sizeof(scheme) - 1;
    text += strspn(text, " ");
    if (strlen(text) != BEARER_BYTES)
        return false;
    digest_of(text, BEARER_BYTES, hash);
    return true;
}

static void take_token(const struct token_info *info, struct principal *who)
{
    who->is_known = info->expires_s == 0 || info->expires_s > time(NULL);
    who->scope = info->scope;
    memcpy(who->host_id, info->host_id, sizeof(who->host_id));
    snprintf(who->name, sizeof(who->name), "token %s", info->name);
    snprintf(who->id, sizeof(who->id), "token %s", info->id);
}

/* Each token is compared, whether one was found or not. */
void bearer_identify(struct lunmgr *m, const char *authorization, struct principal *who)
{
    uint8_t hash[TOKEN_HASH_BYTES];
    if (!header_hash(authorization, hash))
        return;
    for (struct token *token = token_next(m, NULL); token != NULL;
         token = token_next(m, token)) {
        struct token_info info;
        token_describe(token, &info);
        if (CRYPTO_memcmp(hash, info.hash, sizeof(hash)) == 0)
            take_token(&info, who);
    }
}
