/* SPDX-License-Identifier: Apache-2.0 */
/* Every list: what its query asks for, and its page. It is stable while rows come and go,
 * since a page begins behind a row's place and not after a count. Control thread. */
#include "web/cursor.h"
#include "web/exchange.h"
#include "web/router.h"
#include "web/scan.h"

#include <string.h>

static void page_reply(struct scan *s)
{
    struct exchange *x = s->x;
    struct cursor_list list;
    char next[WEB_CURSOR_MAX];
    json_text_puts(&s->items, "],\"next\":");
    if (s->more) {
        cursor_list(s->resource, &x->query, &list);
        cursor_put(&list, &s->last, next);
        json_text_string(&s->items, next);
    } else {
        json_text_puts(&s->items, "null");
    }
    json_text_puts(&s->items, "}");
    s->items.failed |= s->out_of_memory;
    reply_json_text(x, 200, &s->items);
}

/* False: x->problem says why not. */
static bool query_understand(struct scan *s)
{
    struct exchange *x = s->x;
    const struct query *q = &x->query;
    const struct resource *r = s->resource;
    struct cursor_list list;
    cursor_list(r, q, &list);
    s->limit = q->limit;
    if (!filter_read(q->filter, r, &s->filter, &x->problem) ||
        !order_read(q->sort, r, &s->order, &x->problem) ||
        !resource_fields(r, q->fields, &s->fields, &x->problem) ||
        !cursor_read(q->after, &list, &s->after, &x->problem))
        return false;
    const char *whole = x->params[0][0] != '\0' ? x->params[0] : q->volume;
    return whole[0] == '\0' || r->part(x->web, whole, s->prefix) ||
           !problem_set(&x->problem, PROBLEM_NOT_FOUND, "there is no %s %s", r->whole,
                        whole);
}

/* infos: of a resource that was asked for. */
static void list_rows(struct exchange *x, const void *infos, size_t count)
{
    struct scan *s = scan_create(x, x->route->resource, page_reply);
    if (s == NULL) {
        reply_json(x, 200, NULL);
    } else if (!query_understand(s)) {
        scan_free(s);
        reply_problem(x);
    } else if (s->resource->load != NULL && scan_take_rows(s, infos, count) != 0) {
        scan_free(s);
        reply_json(x, 200, NULL);
    } else {
        json_text_puts(&s->items, "{\"items\":[");
        scan_start(s);
    }
}

void api_list(struct exchange *x)
{
    const struct resource *r = x->route->resource;
    x->loaded = list_rows;
    if (r->load != NULL)
        r->load(x);
    else
        list_rows(x, NULL, 0);
}
