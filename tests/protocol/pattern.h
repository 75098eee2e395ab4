/* SPDX-License-Identifier: Apache-2.0 */
/* What the test programs write: every sector names itself (who wrote it, where, which
 * generation) and fills its rest with words derived from that name, so that a stale,
 * misplaced or torn sector is told apart from a right one and says where it came from.
 * Pure functions; any thread. */
#ifndef TESTS_PROTOCOL_PATTERN_H
#define TESTS_PROTOCOL_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tag {
    uint64_t lba;
    uint32_t lun;
    uint32_t owner; /* the connection that wrote it */
    uint32_t generation;
    uint32_t seed;
};

enum content {
    CONTENT_TAGGED,  /* whole and self-consistent: the tag says what it is */
    CONTENT_ZEROS,   /* every byte is zero */
    CONTENT_GARBAGE, /* neither: torn, or never written by a test */
};

/* sector_bytes: a multiple of 8, at least 64. */
void pattern_fill(uint8_t *sector, size_t sector_bytes, const struct tag *tag);

/* What the sector holds; *tag is filled for CONTENT_TAGGED only. */
enum content pattern_read(const uint8_t *sector, size_t sector_bytes, struct tag *tag);

bool pattern_equal(const struct tag *a, const struct tag *b);

/* A phrase for a message: "connection 3 generation 7 of lun 1 lba 99", "zeros", … */
void pattern_describe(const uint8_t *sector, size_t sector_bytes, char *text,
                      size_t text_bytes);

#endif
