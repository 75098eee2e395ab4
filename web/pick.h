/* SPDX-License-Identifier: Apache-2.0 */
/* The first places of many, as they come in any order: a heap of at most so many. Pure;
 * any thread. */
#ifndef WEB_PICK_H
#define WEB_PICK_H

#include "web/order.h"

struct pick {
    struct place **places; /* a heap, the last place on top; after pick_sort in order */
    size_t count, most;
    bool more; /* there were more than most */
};

/* -ENOMEM. most: at least 1. */
int pick_init(struct pick *p, size_t most) MUST_CHECK;
void pick_fini(struct pick *p);
/* Keeps a copy of place if it is among the first. -ENOMEM. */
int pick_add(struct pick *p, const struct place *place) MUST_CHECK;
void pick_sort(struct pick *p);

#endif
