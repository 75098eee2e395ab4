/* SPDX-License-Identifier: Apache-2.0 */
/* Digests by OpenSSL (see digest.h). */
#include "web/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

void digest_begin(struct digest *d)
{
    d->state = EVP_MD_CTX_new();
    if (d->state != NULL && EVP_DigestInit_ex(d->state, EVP_sha256(), NULL) != 1)
        EVP_MD_CTX_free(TAKE(d->state));
}

void digest_add(struct digest *d, const void *bytes, size_t count)
{
    if (d->state != NULL && EVP_DigestUpdate(d->state, bytes, count) != 1)
        EVP_MD_CTX_free(TAKE(d->state));
}

void digest_end(struct digest *d, uint8_t out[DIGEST_BYTES])
{
    memset(out, 0, DIGEST_BYTES);
    if (d->state != NULL && EVP_DigestFinal_ex(d->state, out, NULL) != 1)
        memset(out, 0, DIGEST_BYTES);
    EVP_MD_CTX_free(TAKE(d->state));
}

void digest_keyed(const uint8_t key[DIGEST_BYTES], const void *bytes, size_t count,
                  uint8_t out[DIGEST_BYTES])
{
    if (HMAC(EVP_sha256(), key, DIGEST_BYTES, bytes, count, out, NULL) == NULL)
        memset(out, 0, DIGEST_BYTES);
}

int digest_make_key(uint8_t key[DIGEST_BYTES], struct err *e)
{
    if (RAND_priv_bytes(key, DIGEST_BYTES) != 1)
        return err_set(e, -EIO, NULL, "no random bytes for a key");
    return 0;
}
