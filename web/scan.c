/* SPDX-License-Identifier: Apache-2.0 */
/* Scans (see scan.h). A list in its own order is walked by key and shown as it is found.
 * One that is sorted is walked by id, which no change of a row moves: the first places
 * are picked, then shown. */
#include "web/scan.h"

#include "base/clock.h"
#include "web/exchange.h"
#include "web/held.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#define STEPS 16 /* between two looks at the clock */

struct scan *scan_create(struct exchange *x, const struct resource *r,
                         void (*done)(struct scan *s))
{
    struct scan *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->x = x;
    s->web = x->web;
    s->resource = r;
    s->done = done;
    s->fields = RESOURCE_ALL_FIELDS;
    s->limit = WEB_LIST_LIMIT_MAX;
    s->next = s->web->scans;
    s->link = &s->web->scans;
    if (s->next != NULL)
        s->next->link = &s->next;
    s->web->scans = s;
    return s;
}

int scan_take_rows(struct scan *s, const void *infos, size_t count)
{
    size_t bytes = count * s->resource->info_bytes;
    s->rows = malloc(bytes + 1); /* of none, too */
    if (s->rows == NULL)
        return -ENOMEM;
    if (bytes > 0)
        memcpy(s->rows, infos, bytes);
    s->row_count = count;
    return 0;
}

void scan_free(struct scan *s)
{
    *s->link = s->next;
    if (s->next != NULL)
        s->next->link = s->link;
    if (event_initialized(&s->timer))
        event_del(&s->timer);
    pick_fini(&s->pick);
    json_text_fini(&s->items);
    free(s->rows);
    free(s);
}

void scan_end_all(struct web *web)
{
    for (struct scan *s = web->scans, *next; s != NULL; s = next) {
        bool live = exchange_is_live(s->x);
        assert(!live);
        next = s->next;
        scan_free(s);
    }
}

static bool is_sorted(const struct scan *s)
{
    return s->order.count > 0;
}

/* ---- Rows -------------------------------------------------------------------------- */

struct row {
    const void *object, *info;
    char key[WEB_AFTER_MAX];
    const char *name; /* what it is found by and never changes: its key or its id */
    char id[RESOURCE_ID_MAX];
    union resource_room room;
};

static void row_fill(struct scan *s, const void *object, struct row *row)
{
    const struct resource *r = s->resource;
    row->object = object;
    row->info = resource_info(s->web, r, object, &row->room);
    r->key(object, row->info, row->key);
    row->name = r->key_is_id ? row->key : resource_id(r, row->info, row->id);
}

static const void *copied_row(const struct scan *s, size_t i)
{
    return (const char *)s->rows + i * s->resource->info_bytes;
}

/* False: that was the last. */
static bool row_next(struct scan *s, struct row *row)
{
    const void *object;
    if (s->rows != NULL)
        object = s->row_at < s->row_count ? copied_row(s, s->row_at++) : NULL;
    else
        object = s->resource->next(s->web, &s->walk);
    if (object == NULL)
        return false;
    row_fill(s, object, row);
    text_key(s->key, is_sorted(s) ? row->name : row->key);
    return true;
}

/* Of the copies, the first whose key is behind that. */
static size_t copied_after(const struct scan *s, const char *key)
{
    size_t low = 0, high = s->row_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        char at[WEB_AFTER_MAX];
        s->resource->key(copied_row(s, mid), copied_row(s, mid), at);
        if (strcmp(at, key) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* By the name of a place. False: it is gone. */
static bool row_find(struct scan *s, const struct place *place, struct row *row)
{
    const char *name = (const char *)place->at + place->name_at;
    const void *object;
    if (s->rows != NULL)
        object = copied_row(s, copied_after(s, name) - 1);
    else
        object = s->resource->find(s->web, name);
    if (object != NULL)
        row_fill(s, object, row);
    return object != NULL;
}

/* ---- Showing ----------------------------------------------------------------------- */

/* False: out of memory. */
static bool row_show(struct scan *s, const struct row *row)
{
    json_text_puts(&s->items, s->count > 0 ? "," : "");
    resource_put(&s->items, s->web, s->resource, row->info, s->fields);
    s->count++;
    s->out_of_memory = s->items.failed;
    return !s->out_of_memory;
}

/* ---- Steps: false, that was the last ----------------------------------------------- */

static bool is_wanted(const struct scan *s, const struct row *row)
{
    if (s->resource->is_shown != NULL && !s->resource->is_shown(row->info, &s->x->who))
        return false;
    return strncmp(row->key, s->prefix, strlen(s->prefix)) == 0 &&
           filter_allows(&s->filter, row->info);
}

/* The list's own order: what begins with the prefix lies together. */
static bool step_list(struct scan *s)
{
    struct row row;
    if (!row_next(s, &row) || strncmp(row.key, s->prefix, strlen(s->prefix)) != 0)
        return false;
    if (!is_wanted(s, &row))
        return true;
    s->more = s->count == s->limit;
    if (s->more)
        return false;
    order_place(&s->order, row.info, row.key, &s->last);
    return row_show(s, &row);
}

static bool step_pick(struct scan *s)
{
    struct row row;
    struct place place;
    if (!row_next(s, &row)) {
        pick_sort(&s->pick);
        s->more = s->pick.more;
        s->walked = true;
        return true;
    }
    if (!is_wanted(s, &row))
        return true;
    order_place(&s->order, row.info, row.name, &place);
    if (place_compare(&place, &s->after) <= 0)
        return true;
    s->out_of_memory = pick_add(&s->pick, &place) != 0;
    return !s->out_of_memory;
}

/* What was picked may be gone meanwhile, or not be wanted any more. */
static bool step_show(struct scan *s)
{
    struct row row;
    if (s->shown == s->pick.count)
        return false;
    const struct place *place = s->pick.places[s->shown++];
    memcpy(&s->last, place, offsetof(struct place, at) + place->bytes);
    return !row_find(s, place, &row) || !is_wanted(s, &row) || row_show(s, &row);
}

static bool step(struct scan *s)
{
    if (!is_sorted(s))
        return step_list(s);
    return s->walked ? step_show(s) : step_pick(s);
}

/* ---- Slices ------------------------------------------------------------------------ */

static void scan_finish(struct scan *s)
{
    s->done(s);
    scan_free(s);
}

static void scan_slice(struct scan *s)
{
    static const struct timeval at_once = {.tv_sec = 0};
    int64_t end_us = clock_us() + s->web->slice_us;
    struct held held;
    bool going = true;
    held_begin(s->web, &held);
    do {
        for (int i = 0; going && i < STEPS; i++)
            going = step(s);
    } while (going && clock_us() < end_us);
    held_end(s->web);
    if (going)
        event_add(&s->timer, &at_once);
    else
        scan_finish(s);
}

static void scan_on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct scan *s = arg;
    (void)fd;
    (void)what;
    if (exchange_is_live(s->x))
        scan_slice(s);
    else
        scan_free(s);
}

/* Where the list's own order begins: behind the cursor, and where the prefix does. */
static void begin_list(struct scan *s)
{
    snprintf(s->key, sizeof(s->key), "%.*s", (int)s->after.bytes, s->after.at);
    if (strcmp(s->prefix, s->key) > 0)
        memcpy(s->key, s->prefix, sizeof(s->key));
    s->walk.order = WALK_BY_NAME;
    s->row_at = copied_after(s, s->key);
}

static void begin_pick(struct scan *s)
{
    s->walk.order = WALK_BY_ID;
    s->out_of_memory = pick_init(&s->pick, s->limit) != 0;
}

void scan_start(struct scan *s)
{
    evtimer_assign(&s->timer, s->web->base, scan_on_turn, s);
    s->walk.after = s->key;
    if (is_sorted(s))
        begin_pick(s);
    else
        begin_list(s);
    if (s->out_of_memory)
        scan_finish(s);
    else
        scan_slice(s);
}
