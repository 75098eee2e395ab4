/* SPDX-License-Identifier: Apache-2.0 */
/* Finds and compares what hosts' views show (access.c makes them). Pure; any
 * thread that holds the views' access. */
#include "target/lu.h"

#include <stdlib.h>
#include <strings.h>

bool access_host_admits(const struct access_host *host, const uint8_t address[IP_BYTES])
{
    const struct cidr_list *ranges = &host->auth.addresses;
    return ranges->count == 0 || cidr_list_has(ranges, address);
}

static int target_compare(const void *target, const void *view)
{
    return strcasecmp(target, ((const struct view *)view)->target);
}

const struct view *access_host_view(const struct access_host *host, const char *target)
{
    if (target_compare(target, &host->views[0]) == 0)
        return &host->views[0];
    return bsearch(target, host->views + 1, host->view_count - 1, sizeof(*host->views),
                   target_compare);
}

const struct lu *view_lu(const struct view *view, uint32_t lun)
{
    size_t low = 0;
    size_t high = view != NULL ? view->lu_count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (view->lus[middle].lun == lun)
            return &view->lus[middle];
        if (view->lus[middle].lun < lun)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool lu_is_same(const struct lu *a, const struct lu *b)
{
    return a->lun == b->lun && a->volume == b->volume && a->read_only == b->read_only;
}

bool view_keeps(const struct view *view, const struct lu *lu)
{
    const struct lu *now = view_lu(view, lu->lun);
    return now != NULL && lu_is_same(now, lu);
}

bool view_differs(const struct view *before, const struct view *after)
{
    size_t count = before != NULL ? before->lu_count : 0;
    if (count != (after != NULL ? after->lu_count : 0))
        return true;
    for (size_t i = 0; i < count; i++) {
        if (!lu_is_same(&before->lus[i], &after->lus[i]))
            return true;
    }
    return false;
}

bool view_shows(const struct view *view, const struct volume *volume)
{
    size_t count = view != NULL ? view->lu_count : 0;
    for (size_t i = 0; i < count; i++) {
        if (view->lus[i].volume == volume)
            return true;
    }
    return false;
}
