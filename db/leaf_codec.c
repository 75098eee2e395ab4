/* SPDX-License-Identifier: Apache-2.0 */
/* Encode and decode side by side. */
#include "db/leaf_codec.h"

#include "base/crc32c.h"
#include "base/wire.h"
#include "db/run_codec.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>

static uint32_t leaf_crc(uint64_t leaf_key, const uint8_t *blob, size_t bytes)
{
    uint8_t key[8];
    be64_store(key, leaf_key);
    return crc32c(crc32c(0, key, sizeof(key)), blob, bytes);
}

/* ---- Encode ------------------------------------------------------------------------ */

size_t leaf_encode(uint64_t leaf_key, const uint64_t words[LEAF_WORDS],
                   uint8_t blob[LEAF_BLOB_MAX])
{
    struct wire out;
    wire_init(&out, blob, LEAF_BLOB_MAX);
    wire_put_u8(&out, LEAF_FORMAT);
    for (size_t at = 0; at < LEAF_WORDS;)
        at += run_encode(words + at, LEAF_WORDS - at, &out);
    assert(wire_rc(&out) == 0);
    wire_put_be32(&out, leaf_crc(leaf_key, blob, out.at));
    assert(wire_rc(&out) == 0);
    return out.at;
}

/* ---- Decode ------------------------------------------------------------------------ */

static bool runs_decode(struct wire_in *in, uint64_t words[LEAF_WORDS])
{
    size_t at = 0;
    while (at < LEAF_WORDS) {
        size_t count = run_decode(in, words + at, LEAF_WORDS - at);
        if (count == 0)
            return false;
        at += count;
    }
    return wire_in_left(in) == 0;
}

int leaf_decode(uint64_t leaf_key, const void *blob, size_t bytes,
                uint64_t words[LEAF_WORDS])
{
    if (blob == NULL || bytes < 1 + CRC32C_BYTES || bytes > LEAF_BLOB_MAX)
        return -EUCLEAN;
    size_t body = bytes - CRC32C_BYTES;
    if (be32_load((const uint8_t *)blob + body) != leaf_crc(leaf_key, blob, body))
        return -EUCLEAN;
    struct wire_in in;
    wire_in_init(&in, blob, body);
    if (wire_take_u8(&in) != LEAF_FORMAT)
        return -EUCLEAN;
    return runs_decode(&in, words) ? 0 : -EUCLEAN;
}
