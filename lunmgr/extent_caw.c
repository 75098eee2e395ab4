/* SPDX-License-Identifier: Apache-2.0 */
/* COMPARE AND WRITE (SBC-4, 5.3): while the words of all extents that it touches are
 * held, what they show is read and compared; if all of it is as it should be, the other
 * half of the data is written. Writers of before have ended, and whoever would change the
 * extents meanwhile waits for the release. One logical block is written in place, as any
 * write is; several go the way of an atomic write. Nothing is taken before the
 * comparison. */
#include "lunmgr/extent_priv.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Where the range lies in the blocks that were read. */
static uint8_t *caw_range(const struct vio *vio)
{
    return vio->data + vio->offset_bytes % BLOCK_BYTES;
}

static uint64_t first_difference(const uint8_t *a, const uint8_t *b)
{
    uint64_t i = 0;
    while (a[i] == b[i])
        i++;
    return i;
}

static bool caw_is_equal(struct vio *vio)
{
    const uint8_t *shown = caw_range(vio);
    bool equal = memcmp(shown, vio->halves, (size_t)vio->length_bytes) == 0;
    if (!equal)
        vio->differs_at_bytes = first_difference(shown, vio->halves);
    return equal;
}

/* What lies around the range in its blocks has been read, and is written as it was. */
static void caw_on_shown(struct extent_io *lead, int rc)
{
    struct vio *vio = lead->vio;
    if (rc == 0 && !caw_is_equal(vio))
        rc = -EILSEQ;
    if (rc != 0) {
        extent_end(lead, rc);
        return;
    }
    memcpy(caw_range(vio), vio->halves + vio->length_bytes, (size_t)vio->length_bytes);
    if (lead->kind == EXTENT_ATOMIC)
        extent_atomic_write(lead);
    else
        extent_write_held(lead);
}

void extent_caw(struct extent_io *lead)
{
    struct plan plan;
    assert(lead->vio->p.op == VIO_COMPARE_WRITE);
    struct extent_io *missing = extent_plan(lead, lead->run_count, &plan);
    if (missing == NULL) {
        extent_show(lead, &plan, lead->vio->data, caw_on_shown);
        return;
    }
    extent_leave_all(lead);
    extent_park_for_leaf(missing);
}
