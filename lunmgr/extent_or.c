/* SPDX-License-Identifier: Apache-2.0 */
/* An OR into one extent (SBC-4, 5.11) while its word is held: what the blocks show is
 * read, the data is ORed into it, all of it is written. Writers of before have ended, and
 * whoever would change the extent meanwhile (a write, an UNMAP, another OR) waits for the
 * release, so nothing that they wrote is lost. */
#include "lunmgr/extent_priv.h"

/* Where what is there is read to: our blocks of the second half of the vio's memory. The
 * data stays as it came, for a piece that parks begins again. */
static uint8_t *or_blocks(const struct extent_io *x)
{
    return x->data + vio_buffer_bytes(x->vio->offset_bytes, x->vio->length_bytes);
}

/* From here on it parks no more. */
static void or_merge(struct extent_io *x)
{
    size_t into_block = (size_t)(x->first_sector % BLOCK_SECTORS) * SECTOR_BYTES;
    size_t bytes = (size_t)x->sector_count * SECTOR_BYTES;
    uint8_t *blocks = or_blocks(x);
    for (size_t i = into_block; i < into_block + bytes; i++)
        blocks[i] |= x->data[i];
    x->data = blocks;
}

static void or_on_shown(struct extent_io *x, int rc)
{
    if (rc != 0) {
        extent_end(x, rc);
        return;
    }
    or_merge(x);
    extent_write(x, 1);
}

/* All that may wait, or fail for want of space, comes before the first read. */
void extent_or(struct extent_io *x)
{
    struct plan plan;
    map_word w = atomic_load(x->cell);
    if (extent_plan(x, 1, &plan) != NULL) {
        extent_park_for_leaf(x);
        return;
    }
    int rc = extent_place(x, &w);
    if (rc != 0)
        extent_no_space(x, rc);
    else
        extent_show(x, &plan, or_blocks(x), or_on_shown);
}
