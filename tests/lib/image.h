/* SPDX-License-Identifier: Apache-2.0 */
/* What a volume or snapshot held at one time: the tag of each 512-byte sector (oracle.h),
 * 0: zeros. Chunks of 1 MiB that nobody has set are all zeros and take no memory. Once it
 * is shared it does not change. One thread. */
#ifndef TESTS_LIB_IMAGE_H
#define TESTS_LIB_IMAGE_H

#include <stdint.h>

#define IMAGE_CHUNK_SECTORS 2048U

struct image;

/* All zeros, one reference. */
struct image *image_create(uint64_t sector_count);
struct image *image_get(struct image *image);
/* NULL is allowed. */
void image_put(struct image *image);
uint64_t image_sectors(const struct image *image);
/* NULL: a chunk of zeros. */
const uint64_t *image_chunk(const struct image *image, uint64_t chunk);
/* 0 beyond its end, and in no image. */
uint64_t image_tag(const struct image *image, uint64_t sector);
void image_set(struct image *image, uint64_t sector, uint64_t tag);

#endif
