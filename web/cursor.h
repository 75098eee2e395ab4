/* SPDX-License-Identifier: Apache-2.0 */
/* Where a page of a list ended, as text that says nothing to a client: the place of its
 * last row, and of which list, filter and order it is. Pure; any thread. */
#ifndef WEB_CURSOR_H
#define WEB_CURSOR_H

#include "web/order.h"

struct query;

#define CURSOR_LIST_BYTES 8

/* What a cursor is good for. */
struct cursor_list {
    uint8_t hash[CURSOR_LIST_BYTES];
};
void cursor_list(const struct resource *r, const struct query *query,
                 struct cursor_list *out);

void cursor_put(const struct cursor_list *list, const struct place *place,
                char out[WEB_CURSOR_MAX]);
/* "": the place before all others. False and a problem that names the parameter after: no
 * cursor, or of another list. out->name_at is 0. */
bool cursor_read(const char *text, const struct cursor_list *list, struct place *out,
                 struct problem *problem);

#endif
