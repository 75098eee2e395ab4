/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256. Any thread, each digest one at a time. It fails only for want of memory, which
 * ends the process. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES 32
#define DIGEST_TEXT  (2 * DIGEST_BYTES + 1)

/* A sum being taken: digest_begin, any number of digest_add, digest_end. */
struct digest {
    void *context;
};

void digest_begin(struct digest *d);
void digest_add(struct digest *d, const void *data, size_t bytes);
void digest_end(struct digest *d, uint8_t out[DIGEST_BYTES]);

void digest_of(const void *data, size_t bytes, uint8_t out[DIGEST_BYTES]);

/* The sum in lower case hex; out. */
const char *digest_text(const uint8_t sum[DIGEST_BYTES], char out[DIGEST_TEXT]);

#endif
