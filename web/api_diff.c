/* SPDX-License-Identifier: Apache-2.0 */
/* What of a volume or a snapshot is there, and what of it differs from another one.
 * Control thread. */
#include "web/api.h"
#include "web/feed.h"
#include "web/resource.h"
#include "web/router.h"

#include <stdio.h>
#include <string.h>

/* /v1/snapshots/VOLUME/NAME, of a snapshot that has the name of one of our paths: no
 * volume is named as an id is. */
static bool is_of_a_name(const struct exchange *x)
{
    return x->route->resource == &resource_snapshot && x->params[1][0] == '\0' &&
           (!text_is_uuid(x->params[0]) ||
            volume_find(x->web->lunmgr, x->params[0]) != NULL);
}

static void show_of_name(struct exchange *x)
{
    snprintf(x->params[1], sizeof(x->params[1]), "%s", strrchr(x->route->path, '/') + 1);
    api_show(x);
}

static void list(struct exchange *x)
{
    char key[WEB_KEY_MAX];
    struct volume *of = (struct volume *)exchange_object(x);
    const struct diff_spec spec = {.from =
                                       x->query.from[0] == '\0' ? NULL : x->query.from,
                                   .zeros = x->query.zeros,
                                   .offset_bytes = x->query.offset,
                                   .length_bytes = x->query.length};
    if (!feeds_admit(x))
        reply_problem(x);
    else if (of == NULL)
        reply_not_found(x, x->route->resource->kind, exchange_key(x, key));
    else
        feed_begin(x, of, &spec);
}

void api_diff(struct exchange *x)
{
    if (is_of_a_name(x))
        show_of_name(x);
    else
        list(x);
}
