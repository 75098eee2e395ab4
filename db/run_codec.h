/* SPDX-License-Identifier: Apache-2.0 */
/* Map words as runs: a kind, the number of words less one, and what the kind asks. The
 * leaf code and the delta code are made of them. docs/FORMAT.md describes the bytes.
 * Pure; any thread. */
#ifndef DB_RUN_CODEC_H
#define DB_RUN_CODEC_H

#include "base/wire.h"

/* A word and the next extent of the same device (lunmgr/word.h). */
#define RUN_RISE      0x10000U
#define RUN_WORDS_MAX 256
/* No words of a number are longer, nor their runs together. */
#define RUN_BYTES_MAX(words) (2 + (words)*8)

enum run_kind {
    RUN_ZERO = 0,    /* count words of 0 */
    RUN_SAME = 1,    /* a word, count times */
    RUN_RISING = 2,  /* a word, and each next one higher by RUN_RISE */
    RUN_LITERAL = 3, /* count words */
};

/* Puts the longest run that begins at words, of at most `left` (1 to RUN_WORDS_MAX);
 * returns how many words it has. */
size_t run_encode(const uint64_t *words, size_t left, struct wire *out);
/* Takes one run into words, of which `left` are wanted at most; returns how many it has.
 * 0: not what run_encode makes, or longer; words are then undefined. */
size_t run_decode(struct wire_in *in, uint64_t *words, size_t left) MUST_CHECK;

#endif
