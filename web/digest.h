/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of pieces as they come, keyed digests, and random keys, by OpenSSL. Any thread.
 */
#ifndef WEB_DIGEST_H
#define WEB_DIGEST_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES 32

struct digest {
    void *state; /* NULL: no memory */
};

void digest_begin(struct digest *d);
void digest_add(struct digest *d, const void *bytes, size_t count);
/* Always after digest_begin. All zeros if there was no memory. */
void digest_end(struct digest *d, uint8_t out[DIGEST_BYTES]);

/* HMAC-SHA-256; zeros as above. */
void digest_keyed(const uint8_t key[DIGEST_BYTES], const void *bytes, size_t count,
                  uint8_t out[DIGEST_BYTES]);
/* -EIO: no randomness. */
int digest_make_key(uint8_t key[DIGEST_BYTES], struct err *e) MUST_CHECK;

#endif
