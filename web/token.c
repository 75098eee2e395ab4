/* SPDX-License-Identifier: Apache-2.0 */
/* Bearer tokens by OpenSSL: 256 random bits, so that one SHA-256 is a good enough hash,
 * and a comparison whose time says nothing. Control thread. */
#include "web/token.h"

#include "web/base64.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <strings.h>

#define RANDOM_BYTES 32

static_assert(TOKEN_HASH_BYTES == 32, "SHA-256");
static_assert(sizeof(BEARER_PREFIX) - 1 + BASE64_TEXT_BYTES(RANDOM_BYTES) == BEARER_BYTES,
              "base64url without padding");

static bool hash_text(const char *text, size_t length, uint8_t hash[TOKEN_HASH_BYTES])
{
    unsigned bytes = TOKEN_HASH_BYTES;
    return EVP_Digest(text, length, hash, &bytes, EVP_sha256(), NULL) == 1;
}

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
    if (!hash_text(text, BEARER_BYTES, hash))
        return err_set(e, -EIO, NULL, "SHA-256 failed");
    return 0;
}

bool bearer_is_known(struct lunmgr *m, const char *authorization)
{
    static const char scheme[] = "Bearer ";
    uint8_t hash[TOKEN_HASH_BYTES];
    if (authorization == NULL ||
        strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
        return false;
    const char *text = authorization + sizeof(scheme) - 1;
    text += strspn(text, " ");
    if (strlen(text) != BEARER_BYTES || !hash_text(text, BEARER_BYTES, hash))
        return false;
    bool known = false;
    for (struct token *token = token_next(m, NULL); token != NULL;
         token = token_next(m, token)) {
        struct token_info info;
        token_describe(token, &info);
        known |= CRYPTO_memcmp(hash, info.hash, sizeof(hash)) == 0;
    }
    return known;
}
