/* SPDX-License-Identifier: Apache-2.0 */
/* See overcommit.h. Sums of sizes times 100 do not fit into 64 bits. */
#include "lunmgr/overcommit.h"

#include "lunmgr/pool_priv.h"
#include "lunmgr/volume_io.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

static uint64_t size_bytes(const struct pool *pool)
{
    return pool_extents(pool) * EXTENT_BYTES;
}

uint64_t overcommit_percent(const struct pool *pool)
{
    uint64_t size = size_bytes(pool);
    unsigned __int128 sum = (unsigned __int128)pool->provisioned_bytes * 100;
    return size == 0 ? 0 : (uint64_t)((sum + size - 1) / size);
}

int overcommit_cap_check(uint32_t percent, struct err *e)
{
    if (percent > POOL_CAP_PERCENT_MAX)
        return err_set(e, -EINVAL, "overcommit_cap_percent",
                       "0, which is no cap, or 1 to %d percent of the pool's size",
                       POOL_CAP_PERCENT_MAX);
    return 0;
}

int promise_make(struct promise *promise, struct pool *pool, uint64_t bytes,
                 const char *field, struct err *e)
{
    assert(promise->pool == NULL);
    uint64_t size = size_bytes(pool);
    uint64_t promised = pool->provisioned_bytes + pool->promised_bytes;
    unsigned __int128 allowed =
        (unsigned __int128)size * pool->overcommit_cap_percent / 100;
    bool capped = pool->overcommit_cap_percent != 0 && bytes > 0;
    if (capped && (unsigned __int128)promised + bytes > allowed)
        return err_set(e, -ENOSPC, field,
                       "pool %s has an overcommit cap of %" PRIu32 " %%: of its %" PRIu64
                       " bytes that is %" PRIu64 ", %" PRIu64
                       " are provisioned, and this would be %" PRIu64 " more",
                       pool->name, pool->overcommit_cap_percent, size, (uint64_t)allowed,
                       promised, bytes);
    *promise = (struct promise){.pool = pool, .bytes = bytes};
    pool->promised_bytes += bytes;
    return 0;
}

void promise_end(struct promise *promise)
{
    if (promise->pool == NULL)
        return;
    assert(promise->pool->promised_bytes >= promise->bytes);
    promise->pool->promised_bytes -= promise->bytes;
    promise->pool = NULL;
}
