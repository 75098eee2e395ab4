/* SPDX-License-Identifier: Apache-2.0 */
/* Lists by keyset cursor: stable while rows come and go, since a page begins after a key
 * and not after a count. Control thread. */
#include "web/page.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void page_begin(struct page *page, const struct exchange *x)
{
    *page = (struct page){
        .items = json_array(),
        .limit = x->query.limit,
        .after = x->query.after,
    };
}

enum page_step page_step(struct page *page, const char *key)
{
    if (page->items == NULL)
        return PAGE_STOP;
    if (page->after[0] != '\0' && strcmp(key, page->after) <= 0)
        return PAGE_SKIP;
    if (json_array_size(page->items) >= page->limit) {
        page->more = true;
        return PAGE_STOP;
    }
    snprintf(page->last, sizeof(page->last), "%s", key);
    return PAGE_TAKE;
}

void page_add(struct page *page, json_t *item)
{
    if (item != NULL && json_array_append_new(page->items, item) == 0)
        return;
    json_decref(page->items);
    page->items = NULL;
}

void page_reply(struct page *page, struct exchange *x)
{
    json_t *items = TAKE(page->items);
    if (items == NULL)
        reply_json(x, 200, NULL);
    else
        reply_json(x, 200,
                   json_pack("{s:o, s:s?}", "items", items, "next",
                             page->more ? page->last : NULL));
}

const char *time_text(char out[TIME_TEXT_MAX], int64_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm utc;
    if (gmtime_r(&when, &utc) == NULL ||
        strftime(out, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        snprintf(out, TIME_TEXT_MAX, "1970-01-01T00:00:00Z");
    return out;
}

json_t *json_of_foreign_text(const char *text)
{
    char *safe = strdup(text);
    if (safe == NULL)
        return NULL;
    for (size_t i = 0; safe[i] != '\0'; i++) {
        if ((unsigned char)safe[i] < 0x20 || (unsigned char)safe[i] > 0x7e)
            safe[i] = '?';
    }
    json_t *out = json_string(safe);
    free(safe);
    return out;
}

const char *text_or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}
