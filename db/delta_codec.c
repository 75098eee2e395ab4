/* SPDX-License-Identifier: Apache-2.0 */
/* Encode and decode side by side. A section is a varint (how far its leaf lies behind the
 * leaf after the one before), the number of its runs less one, and the runs, each behind
 * the place of its first word. */
#include "db/delta_codec.h"

#include "base/crc32c.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define VARINT_BYTES_MAX ((LEAF_KEY_BITS + 6) / 7)
/* One literal run of all words is the longest: see run_codec.c. */
#define SECTION_MAX (VARINT_BYTES_MAX + 1 + 1 + RUN_BYTES_MAX(LEAF_WORDS))
static_assert(1 + SECTION_MAX + CRC32C_BYTES <= DELTA_BLOB_MAX, "a leaf fits a delta");

static uint32_t delta_crc(uint64_t id, const uint8_t *blob, size_t bytes)
{
    uint8_t key[8];
    be64_store(key, id);
    return crc32c(crc32c(0, key, sizeof(key)), blob, bytes);
}

/* ---- Varints: seven bits a byte, the lowest first, the last byte below 0x80 ---------
 */

static void varint_put(struct wire *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        wire_put_u8(out, (uint8_t)(v | 0x80));
    wire_put_u8(out, (uint8_t)v);
}

/* false: it is too long, cut off or could be shorter. */
static bool varint_take(struct wire_in *in, uint64_t *v)
{
    *v = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX; i++) {
        uint8_t byte = wire_take_u8(in);
        *v |= (uint64_t)(byte & 0x7f) << 7 * i;
        if (byte < 0x80)
            return wire_in_rc(in) == 0 && (byte != 0 || i == 0);
    }
    return false;
}

/* ---- Writing ----------------------------------------------------------------------- */

void delta_begin(struct delta_writer *w, uint8_t blob[DELTA_BLOB_MAX])
{
    wire_init(&w->out, blob, DELTA_BLOB_MAX - CRC32C_BYTES);
    wire_put_u8(&w->out, DELTA_FORMAT);
    w->next_leaf = 0;
}

/* How many changes from the first on have keys that follow each other; their words. */
static size_t stretch_collect(const struct word_change *changes, size_t left,
                              uint64_t words[LEAF_WORDS])
{
    size_t count = 0;
    while (count < left && changes[count].key == changes[0].key + count) {
        words[count] = changes[count].word;
        count++;
    }
    return count;
}

/* Returns the number of runs. */
static unsigned stretch_put(struct wire *out, uint64_t key, const uint64_t *words,
                            size_t count)
{
    unsigned runs = 0;
    for (size_t at = 0; at < count; runs++) {
        wire_put_u8(out, (uint8_t)((key + at) % LEAF_WORDS));
        at += run_encode(words + at, count - at, out);
    }
    return runs;
}

bool delta_put(struct delta_writer *w, const struct word_change *changes, size_t count)
{
    assert(count >= 1 && count <= LEAF_WORDS);
    uint64_t words[LEAF_WORDS];
    uint64_t leaf_key = leaf_key_of(changes[0].key);
    assert(leaf_key >= w->next_leaf && leaf_key >> LEAF_KEY_BITS == 0);
    struct wire before = w->out;
    varint_put(&w->out, leaf_key - w->next_leaf);
    size_t runs_at = w->out.at;
    wire_put_u8(&w->out, 0);
    unsigned runs = 0;
    for (size_t at = 0, together = 0; at < count; at += together) {
        together = stretch_collect(changes + at, count - at, words);
        runs += stretch_put(&w->out, changes[at].key, words, together);
    }
    assert(runs <= LEAF_WORDS && w->out.at - before.at <= SECTION_MAX);
    if (wire_rc(&w->out) != 0) {
        w->out = before;
        return false;
    }
    wire_patch_u8(&w->out, runs_at, (uint8_t)(runs - 1));
    w->next_leaf = leaf_key + 1;
    return true;
}

size_t delta_end(struct delta_writer *w, uint64_t id)
{
    assert(wire_rc(&w->out) == 0);
    uint32_t crc = delta_crc(id, w->out.data, w->out.at);
    w->out.limit += CRC32C_BYTES;
    wire_put_be32(&w->out, crc);
    return w->out.at;
}

/* ---- Reading ----------------------------------------------------------------------- */

void leaf_patch_init(struct leaf_patch *patch, uint64_t leaf_key)
{
    patch->leaf_key = leaf_key;
    memset(patch->set, 0, sizeof(patch->set));
}

void leaf_patch_set(struct leaf_patch *patch, size_t index, uint64_t word)
{
    patch->words[index] = word;
    patch->set[index / 64] |= UINT64_C(1) << index % 64;
}

bool leaf_patch_is_full(const struct leaf_patch *patch)
{
    uint64_t all = UINT64_MAX;
    for (size_t i = 0; i < ARRAY_LEN(patch->set); i++)
        all &= patch->set[i];
    return all == UINT64_MAX;
}

void leaf_patch_apply(const struct leaf_patch *patch, uint64_t words[LEAF_WORDS])
{
    for (size_t i = 0; i < LEAF_WORDS; i++)
        if ((patch->set[i / 64] >> i % 64 & 1) != 0)
            words[i] = patch->words[i];
}

static void patch_set(struct leaf_patch *patch, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++)
        patch->set[i / 64] |= UINT64_C(1) << i % 64;
}

/* Runs at rising places, as many as `in` says. */
static bool runs_read(struct wire_in *in, struct leaf_patch *patch)
{
    size_t runs = (size_t)wire_take_u8(in) + 1;
    size_t next = 0;
    for (size_t i = 0; i < runs; i++) {
        size_t at = wire_take_u8(in);
        if (at < next || at >= LEAF_WORDS)
            return false;
        size_t count = run_decode(in, patch->words + at, LEAF_WORDS - at);
        if (count == 0)
            return false;
        patch_set(patch, at, count);
        next = at + count;
    }
    return true;
}

int delta_section_read(const uint8_t *runs, size_t bytes, struct leaf_patch *patch)
{
    struct wire_in in;
    wire_in_init(&in, runs, bytes);
    return runs_read(&in, patch) && wire_in_left(&in) == 0 ? 0 : -EUCLEAN;
}

int delta_open(struct delta_reader *r, uint64_t id, const void *blob, size_t bytes)
{
    if (blob == NULL || bytes < 1 + CRC32C_BYTES || bytes > DELTA_BLOB_MAX)
        return -EUCLEAN;
    size_t body = bytes - CRC32C_BYTES;
    if (be32_load((const uint8_t *)blob + body) != delta_crc(id, blob, body))
        return -EUCLEAN;
    wire_in_init(&r->in, blob, body);
    r->next_leaf = 0;
    return wire_take_u8(&r->in) == DELTA_FORMAT ? 0 : -EUCLEAN;
}

int delta_next(struct delta_reader *r, struct delta_section *section)
{
    uint64_t gap;
    struct leaf_patch patch;
    if (wire_in_left(&r->in) == 0)
        return 0;
    if (!varint_take(&r->in, &gap))
        return -EUCLEAN;
    section->leaf_key = r->next_leaf + gap;
    if (section->leaf_key >> LEAF_KEY_BITS != 0)
        return -EUCLEAN;
    section->offset = (uint32_t)r->in.at;
    leaf_patch_init(&patch, section->leaf_key);
    if (!runs_read(&r->in, &patch))
        return -EUCLEAN;
    section->bytes = (uint32_t)r->in.at - section->offset;
    r->next_leaf = section->leaf_key + 1;
    return 1;
}
