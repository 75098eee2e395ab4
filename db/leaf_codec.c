/* SPDX-License-Identifier: Apache-2.0 */
/* Encode and decode side by side. The encoder takes the longest run at each place; a run
 * that saves nothing is left to the literal run around it, so LEAF_BLOB_MAX holds. */
#include "db/leaf_codec.h"

#include "base/crc32c.h"
#include "base/wire.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>

/* From here on a run costs less than the same words in a literal and the two headers. */
#define SHORTEST_RUN 2

static uint32_t leaf_crc(uint64_t leaf_key, const uint8_t *blob, size_t bytes)
{
    uint8_t key[8];
    be64_store(key, leaf_key);
    return crc32c(crc32c(0, key, sizeof(key)), blob, bytes);
}

/* ---- Encode ------------------------------------------------------------------------ */

static size_t run_length(const uint64_t *words, size_t left, uint64_t step)
{
    size_t count = 1;
    while (count < left && words[count] == words[count - 1] + step &&
           words[count] >= words[count - 1])
        count++;
    return count;
}

/* The run that begins here, or a literal of one word. */
static enum leaf_run run_at(const uint64_t *words, size_t left, size_t *count)
{
    *count = run_length(words, left, 0);
    if (words[0] == 0)
        return LEAF_RUN_ZERO;
    if (*count >= SHORTEST_RUN)
        return LEAF_RUN_SAME;
    *count = run_length(words, left, LEAF_RISE);
    if (*count >= SHORTEST_RUN)
        return LEAF_RUN_RISING;
    return LEAF_RUN_LITERAL;
}

static size_t literal_length(const uint64_t *words, size_t left)
{
    size_t count = 0, run = 0;
    while (count < left && run_at(words + count, left - count, &run) == LEAF_RUN_LITERAL)
        count++;
    return count;
}

static size_t run_encode(const uint64_t *words, size_t left, struct wire *out)
{
    size_t count = 0;
    enum leaf_run run = run_at(words, left, &count);
    size_t stored = run == LEAF_RUN_ZERO ? 0 : 1;
    if (run == LEAF_RUN_LITERAL)
        stored = count = literal_length(words, left);
    wire_put_u8(out, (uint8_t)run);
    wire_put_u8(out, (uint8_t)(count - 1));
    for (size_t i = 0; i < stored; i++)
        wire_put_be64(out, words[i]);
    return count;
}

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

/* Fills count words; false if the run is none of ours. */
static bool run_fill(struct wire_in *in, uint8_t run, uint64_t *words, size_t count)
{
    if (run == LEAF_RUN_LITERAL) {
        for (size_t i = 0; i < count; i++)
            words[i] = wire_take_be64(in);
        return true;
    }
    if (run > LEAF_RUN_LITERAL)
        return false;
    uint64_t word = run == LEAF_RUN_ZERO ? 0 : wire_take_be64(in);
    uint64_t step = run == LEAF_RUN_RISING ? LEAF_RISE : 0;
    if (word > UINT64_MAX - step * (count - 1))
        return false;
    for (size_t i = 0; i < count; i++)
        words[i] = word + step * i;
    return true;
}

static bool runs_decode(struct wire_in *in, uint64_t words[LEAF_WORDS])
{
    size_t at = 0;
    while (at < LEAF_WORDS) {
        uint8_t run = wire_take_u8(in);
        size_t count = (size_t)wire_take_u8(in) + 1;
        if (wire_in_rc(in) != 0 || count > LEAF_WORDS - at ||
            !run_fill(in, run, words + at, count))
            return false;
        at += count;
    }
    return wire_in_rc(in) == 0 && wire_in_left(in) == 0;
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
