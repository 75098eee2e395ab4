/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of a list are wanted:
 * "size>=10GiB,protected=true,labels.env=prod,name~web*". All terms must hold. A
 * backslash takes the next byte as it is. Pure; any thread. */
#ifndef WEB_FILTER_H
#define WEB_FILTER_H

#include "web/problem.h"
#include "web/resource.h"

#define FILTER_TERMS_MAX 8

enum filter_op {
    FILTER_EQUAL,
    FILTER_DIFFERENT,
    FILTER_LESS,
    FILTER_AT_MOST,
    FILTER_MORE,
    FILTER_AT_LEAST,
    FILTER_LIKE, /* '*': any bytes, '?': any one */
};

struct filter_term {
    const struct column *column;
    const char *label; /* of COLUMN_LABELS: the key */
    enum filter_op op;
    bool null; /* the value is null */
    uint64_t number;
    const char *text;
};

struct filter {
    struct filter_term terms[FILTER_TERMS_MAX];
    size_t count;              /* 0: every row */
    char room[WEB_FILTER_MAX]; /* where texts stand: a filter is not to be copied */
};

/* "": every row. False and a problem that names the parameter filter: a member that there
 * is not, an operator that does not fit it, a value that is none of its values, or more
 * terms than there may be. */
bool filter_read(const char *text, const struct resource *r, struct filter *out,
                 struct problem *problem);
/* That a member is this text too, which is borrowed. There are fewer terms than there may
 * be. */
void filter_add_text(struct filter *f, const struct column *c, const char *text);
bool filter_allows(const struct filter *f, const void *info);

#endif
