/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a list that was asked for, "-created,name", and the place of a row in it
 * as bytes: they compare as the rows do. Pure; any thread. */
#ifndef WEB_ORDER_H
#define WEB_ORDER_H

#include "web/problem.h"
#include "web/resource.h"

#define ORDER_MEMBERS_MAX 2
#define ORDER_TEXT_MAX    304 /* of a member to sort by, with its NUL */
#define ORDER_PLACE_MAX   (ORDER_MEMBERS_MAX * ORDER_TEXT_MAX + WEB_AFTER_MAX)

struct order {
    struct {
        const struct column *column;
        bool descending;
    } by[ORDER_MEMBERS_MAX];
    size_t count; /* 0: the list's own order */
};

struct place {
    size_t bytes;
    size_t name_at; /* what the row's resource finds it by, with a NUL: the last part */
    uint8_t at[ORDER_PLACE_MAX];
};

/* "": the list's own. False and a problem that names the parameter sort. */
bool order_read(const char *text, const struct resource *r, struct order *out,
                struct problem *problem);
/* Null comes before every value. Rows of equal values are in the order of name, which no
 * change of a row may change. */
void order_place(const struct order *o, const void *info, const char *name,
                 struct place *out);
/* As memcmp. */
int place_compare(const struct place *a, const struct place *b);

#endif
