/* SPDX-License-Identifier: Apache-2.0 */
/* An array of chunks, made when first set. */
#include "tests/lib/image.h"

#include <assert.h>
#include <stdlib.h>

struct image {
    unsigned references;
    uint64_t sector_count;
    uint64_t **chunks;
};

static uint64_t chunk_count(const struct image *image)
{
    return (image->sector_count + IMAGE_CHUNK_SECTORS - 1) / IMAGE_CHUNK_SECTORS;
}

struct image *image_create(uint64_t sector_count)
{
    struct image *image = calloc(1, sizeof(*image));
    assert(image != NULL);
    image->references = 1;
    image->sector_count = sector_count;
    image->chunks = calloc((size_t)chunk_count(image), sizeof(image->chunks[0]));
    assert(image->chunks != NULL);
    return image;
}

struct image *image_get(struct image *image)
{
    image->references++;
    return image;
}

void image_put(struct image *image)
{
    if (image == NULL || --image->references > 0)
        return;
    for (uint64_t i = 0; i < chunk_count(image); i++)
        free(image->chunks[i]);
    free(image->chunks);
    free(image);
}

uint64_t image_sectors(const struct image *image)
{
    return image->sector_count;
}

const uint64_t *image_chunk(const struct image *image, uint64_t chunk)
{
    return image != NULL && chunk < chunk_count(image) ? image->chunks[chunk] : NULL;
}

uint64_t image_tag(const struct image *image, uint64_t sector)
{
    if (image == NULL || sector >= image->sector_count)
        return 0;
    const uint64_t *chunk = image->chunks[sector / IMAGE_CHUNK_SECTORS];
    return chunk == NULL ? 0 : chunk[sector % IMAGE_CHUNK_SECTORS];
}

void image_set(struct image *image, uint64_t sector, uint64_t tag)
{
    assert(image->references == 1 && sector < image->sector_count);
    uint64_t **chunk = &image->chunks[sector / IMAGE_CHUNK_SECTORS];
    if (*chunk == NULL && tag == 0)
        return;
    if (*chunk == NULL) {
        *chunk = calloc(IMAGE_CHUNK_SECTORS, sizeof((*chunk)[0]));
        assert(*chunk != NULL);
    }
    (*chunk)[sector % IMAGE_CHUNK_SECTORS] = tag;
}
