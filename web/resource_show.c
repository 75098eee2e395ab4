/* SPDX-License-Identifier: Apache-2.0 */
/* One resource, as a path names it, shown or not modified. Control thread. */
#include "web/exchange.h"
#include "web/path.h"
#include "web/resource.h"
#include "web/router.h"

#include <event2/keyvalq_struct.h>
#include <string.h>

static void show(struct exchange *x, const void *object)
{
    char etag[ETAG_MAX];
    union resource_room room;
    uint64_t fields;
    const struct resource *r = x->route->resource;
    const void *info = resource_info(x->web, r, object, &room);
    const char *known = exchange_header(x, "If-None-Match");
    if (!resource_fields(r, x->query.fields, &fields, &x->problem)) {
        reply_problem(x);
        return;
    }
    resource_info_etag(x->web, r, info, etag);
    exchange_add_header(x, "ETag", etag);
    if (known != NULL && etag_is_named(known, etag, true)) {
        reply_not_modified(x);
        return;
    }
    reply_members(x, 200, r, info, fields);
}

static void show_found(struct exchange *x, const char *name, const void *object)
{
    const struct resource *r = x->route->resource;
    if (object != NULL)
        show(x, object);
    else
        reply_not_found(x, r->what != NULL ? r->what : r->kind, name);
}

static void show_loaded(struct exchange *x, const void *infos, size_t count)
{
    const struct resource *r = x->route->resource;
    const char *at = infos, *found = NULL;
    for (size_t i = 0; found == NULL && i < count; i++, at += r->info_bytes) {
        char id[RESOURCE_ID_MAX];
        if (strcmp(resource_id(r, at, id), x->params[0]) == 0)
            found = at;
    }
    show_found(x, x->params[0], found);
}

void api_show(struct exchange *x)
{
    char name[WEB_KEY_MAX];
    const struct resource *r = x->route->resource;
    if (r->load != NULL) {
        x->loaded = show_loaded;
        r->load(x);
        return;
    }
    exchange_key(x, name);
    show_found(x, name, r->find(x->web, name));
}
