/* SPDX-License-Identifier: Apache-2.0 */
/* See guarantee.h. */
#include "lunmgr/guarantee.h"

#include "lunmgr/pool_priv.h"
#include "lunmgr/volume_io.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

int guarantee_check(uint64_t guaranteed_bytes, uint64_t size_bytes, const char *field,
                    struct err *e)
{
    if (guaranteed_bytes <= size_bytes)
        return 0;
    return err_set(e, -EINVAL, field,
                   "%" PRIu64 " bytes are guaranteed, more than its size of %" PRIu64,
                   guaranteed_bytes, size_bytes);
}

int guarantee_refuse(const struct pool *pool, const char *field, uint64_t short_of,
                     struct err *e)
{
    return err_set(e, -ENOSPC, field,
                   "pool %s lacks %" PRIu64 " bytes for it: %" PRIu64
                   " are free, and %" PRIu64 " of these are guaranteed and not used yet",
                   pool->name, short_of * EXTENT_BYTES, pool_free_bytes(pool),
                   space_reserved(pool) * EXTENT_BYTES);
}

int guarantee_reserve(struct layer *top, uint64_t bytes, bool is_dry, struct err *e)
{
    uint64_t short_of;
    int rc = space_guarantee(top, extents_for(bytes), is_dry, &short_of);
    return rc == 0 ? 0 : guarantee_refuse(top->pool, "guaranteed", short_of, e);
}

void guarantee_settle(const struct volume *volume)
{
    uint64_t short_of;
    int rc = space_guarantee(volume_top((struct volume *)(uintptr_t)volume),
                             extents_for(volume->guaranteed_bytes), false, &short_of);
    assert(rc == 0); /* as much was reserved before */
}
