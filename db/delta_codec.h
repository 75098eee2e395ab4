/* SPDX-License-Identifier: Apache-2.0 */
/* A round's words as the blob of a row: a section a leaf, each a few runs at their
 * places, closed by a CRC32C that covers the delta's id too. A section can be read by
 * itself, so what is kept in memory of a delta is its blob. docs/FORMAT.md describes the
 * bytes. Pure; any thread. */
#ifndef DB_DELTA_CODEC_H
#define DB_DELTA_CODEC_H

#include "db/catalog.h"
#include "db/run_codec.h"

/* What the first byte says. */
#define DELTA_FORMAT 1
/* Some 5,000 scattered words; a round of more takes several deltas. */
#define DELTA_BLOB_MAX 65536
/* Below all leaf keys' end. */
#define LEAF_KEY_BITS 55

/* ---- Writing ----------------------------------------------------------------------- */

struct delta_writer {
    struct wire out;
    uint64_t next_leaf; /* the lowest leaf key that may follow */
};
void delta_begin(struct delta_writer *w, uint8_t blob[DELTA_BLOB_MAX]);
/* The changes of one leaf, sorted, higher than what was put before. false: they do not
 * fit any more, and nothing was put; a delta with nothing in it has room. */
bool delta_put(struct delta_writer *w, const struct word_change *changes,
               size_t count) MUST_CHECK;
/* Returns the blob's length. */
size_t delta_end(struct delta_writer *w, uint64_t id);

/* ---- Reading ----------------------------------------------------------------------- */

/* What is said of some of a leaf's words. */
struct leaf_patch {
    uint64_t leaf_key;
    uint64_t set[LEAF_WORDS / 64]; /* bit i % 64 of set[i / 64]: words[i] is said */
    uint64_t words[LEAF_WORDS];
};
/* Nothing is said. */
void leaf_patch_init(struct leaf_patch *patch, uint64_t leaf_key);
void leaf_patch_set(struct leaf_patch *patch, size_t index, uint64_t word);
bool leaf_patch_is_full(const struct leaf_patch *patch);
void leaf_patch_apply(const struct leaf_patch *patch, uint64_t words[LEAF_WORDS]);

struct delta_section {
    uint64_t leaf_key;
    uint32_t offset, bytes; /* of its runs, in the blob */
};
struct delta_reader {
    struct wire_in in;
    uint64_t next_leaf;
};
/* 0, or -EUCLEAN: not what delta_end made for this id. */
int delta_open(struct delta_reader *r, uint64_t id, const void *blob,
               size_t bytes) MUST_CHECK;
/* 1: the next section, looked through; 0: no more; -EUCLEAN. */
int delta_next(struct delta_reader *r, struct delta_section *section) MUST_CHECK;
/* Adds what the runs of a section say, over what was said. -EUCLEAN: they are damaged;
 * not after delta_next has seen them. */
int delta_section_read(const uint8_t *runs, size_t bytes,
                       struct leaf_patch *patch) MUST_CHECK;

#endif
