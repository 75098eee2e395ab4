/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by OpenSSL. */
#include "base/digest.h"

#include "base/log.h"

#include <openssl/evp.h>
#include <stdio.h>

static void digest_must(int good)
{
    if (good != 1)
        log_fatal("SHA-256 failed: out of memory");
}

void digest_begin(struct digest *d)
{
    d->context = EVP_MD_CTX_new();
    digest_must(d->context != NULL);
    digest_must(EVP_DigestInit_ex(d->context, EVP_sha256(), NULL));
}

void digest_add(struct digest *d, const void *data, size_t bytes)
{
    digest_must(EVP_DigestUpdate(d->context, data, bytes));
}

void digest_end(struct digest *d, uint8_t out[DIGEST_BYTES])
{
    digest_must(EVP_DigestFinal_ex(d->context, out, NULL));
    EVP_MD_CTX_free(d->context); /* wipes it */
    d->context = NULL;
}

void digest_of(const void *data, size_t bytes, uint8_t out[DIGEST_BYTES])
{
    struct digest d;
    digest_begin(&d);
    digest_add(&d, data, bytes);
    digest_end(&d, out);
}

const char *digest_text(const uint8_t sum[DIGEST_BYTES], char out[DIGEST_TEXT])
{
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02x", sum[i]);
    return out;
}
