/* SPDX-License-Identifier: Apache-2.0 */
/* CHAP's digests by OpenSSL (see chap.h). */
#include "target/chap.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

static const EVP_MD *chap_digest(enum chap_algorithm algorithm)
{
    switch (algorithm) {
    case CHAP_MD5:
        return EVP_md5();
    case CHAP_SHA1:
        return EVP_sha1();
    case CHAP_SHA256:
        return EVP_sha256();
    case CHAP_SHA3_256:
        return EVP_sha3_256();
    case CHAP_NONE:
        break;
    }
    return NULL;
}

size_t chap_digest_bytes(enum chap_algorithm algorithm)
{
    const EVP_MD *digest = chap_digest(algorithm);
    assert(digest != NULL);
    return (size_t)EVP_MD_get_size(digest);
}

int chap_random(uint8_t *out, size_t bytes)
{
    return RAND_bytes(out, (int)bytes) == 1 ? 0 : -EIO;
}

int chap_respond(enum chap_algorithm algorithm, uint8_t id, const struct secret *secret,
                 const uint8_t *challenge, size_t challenge_bytes,
                 uint8_t out[CHAP_DIGEST_MAX])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL &&
                EVP_DigestInit_ex(context, chap_digest(algorithm), NULL) == 1 &&
                EVP_DigestUpdate(context, &id, sizeof(id)) == 1 &&
                EVP_DigestUpdate(context, secret->value, secret->bytes) == 1 &&
                EVP_DigestUpdate(context, challenge, challenge_bytes) == 1 &&
                EVP_DigestFinal_ex(context, out, NULL) == 1;
    EVP_MD_CTX_free(context); /* wipes it */
    return good ? 0 : -EIO;
}

bool chap_equal(const uint8_t *a, const uint8_t *b, size_t bytes)
{
    return CRYPTO_memcmp(a, b, bytes) == 0;
}
