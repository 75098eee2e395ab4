/* SPDX-License-Identifier: Apache-2.0 */
/* A walk over all objects of a kind that may stop and go on in a later turn, while
 * objects come and go: it remembers a key and no object. */
#ifndef LUNMGR_ROW_WALK_H
#define LUNMGR_ROW_WALK_H

#include <stddef.h>

enum walk_order {
    WALK_BY_NAME, /* as the kind's _next goes */
    WALK_BY_ID,   /* in an order that no rename changes */
};

struct row_walk {
    enum walk_order order;
    const char *after; /* a name or an id, of an object or not; "": from the first */
    size_t hint;       /* the walk's own: where it was found */
};

#endif
