/* SPDX-License-Identifier: Apache-2.0 */
/* A leaf as the blob of its row: run-length coded, closed by a CRC32C that covers the
 * leaf's key too, so that a damaged or misplaced row is never taken for a map.
 * docs/FORMAT.md describes the bytes. Pure; any thread. */
#ifndef DB_LEAF_CODEC_H
#define DB_LEAF_CODEC_H

#include "db/catalog.h"
#include "db/run_codec.h"

/* What the first byte says. */
#define LEAF_FORMAT 1
/* Format byte, one literal run of all words, CRC: no leaf is longer. */
#define LEAF_BLOB_MAX (1 + RUN_BYTES_MAX(LEAF_WORDS) + 4)

/* Returns the blob's length. */
size_t leaf_encode(uint64_t leaf_key, const uint64_t words[LEAF_WORDS],
                   uint8_t blob[LEAF_BLOB_MAX]);
/* 0, or -EUCLEAN: not what leaf_encode made for this key; words are then undefined. */
int leaf_decode(uint64_t leaf_key, const void *blob, size_t bytes,
                uint64_t words[LEAF_WORDS]) MUST_CHECK;

#endif
