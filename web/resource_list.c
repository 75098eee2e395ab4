/* SPDX-License-Identifier: Apache-2.0 */
/* Lists by keyset cursor: stable while rows come and go, since a page begins after a key
 * and not after a count. Control thread. */
#include "web/exchange.h"
#include "web/resource.h"
#include "web/router.h"

#include <stdio.h>
#include <string.h>

struct page {
    json_t *items; /* NULL: out of memory */
    char last[WEB_AFTER_MAX];
    bool more;
};

/* False: the page is full. */
static bool page_take(struct page *page, struct exchange *x, const void *info,
                      const char *key)
{
    const struct resource *r = x->route->resource;
    page->more = json_array_size(page->items) == x->query.limit;
    if (page->more)
        return false;
    snprintf(page->last, sizeof(page->last), "%s", key);
    json_t *item = resource_info_json(x->web, r, info, RESOURCE_ALL_FIELDS);
    if (item != NULL && json_array_append_new(page->items, item) == 0)
        return true;
    json_decref(TAKE(page->items));
    return false;
}

static void page_reply(struct page *page, struct exchange *x)
{
    json_t *body = page->items == NULL
                       ? NULL
                       : json_pack("{s:o, s:s?}", "items", page->items, "next",
                                   page->more ? page->last : NULL);
    reply_json(x, 200, body);
}

static void list_loaded(struct exchange *x, const void *infos, size_t count)
{
    struct page page = {.items = json_array()};
    const struct resource *r = x->route->resource;
    const char *at = infos;
    bool room = true;
    for (size_t i = 0; room && i < count; i++, at += r->info_bytes) {
        char key[WEB_AFTER_MAX];
        r->key(at, at, key);
        if (strcmp(key, x->query.after) > 0)
            room = page_take(&page, x, at, key);
    }
    page_reply(&page, x);
}

/* The rows are those whose keys begin with prefix. */
static void list_here(struct exchange *x, const char *prefix)
{
    struct page page = {.items = json_array()};
    const struct resource *r = x->route->resource;
    const char *after = x->query.after;
    char key[WEB_AFTER_MAX];
    struct row_walk walk = {.after = key};
    const void *object;
    bool room = page.items != NULL;
    snprintf(key, sizeof(key), "%s", strcmp(after, prefix) > 0 ? after : prefix);
    while (room && (object = r->next(x->web, &walk)) != NULL) {
        union resource_room info_room;
        const void *info = resource_info(x->web, r, object, &info_room);
        r->key(object, info, key);
        if (strncmp(key, prefix, strlen(prefix)) != 0)
            break;
        room = page_take(&page, x, info, key);
    }
    page_reply(&page, x);
}

void api_list(struct exchange *x)
{
    const struct resource *r = x->route->resource;
    char prefix[WEB_AFTER_MAX] = "";
    if (r->load != NULL) {
        x->loaded = list_loaded;
        r->load(x);
    } else if (x->query.volume[0] != '\0' && !r->part(x->web, x->query.volume, prefix)) {
        reply_not_found(x, "volume", x->query.volume);
    } else {
        list_here(x, prefix);
    }
}
