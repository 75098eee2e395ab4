/* SPDX-License-Identifier: Apache-2.0 */
/* A page of a list: at most limit items whose keys come after the cursor, and the cursor
 * of the next page. Keys grow in the order that the rows are walked in. Also the time as
 * the API writes it. Control thread. */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include "web/exchange.h"

#include <stdint.h>

struct page {
    json_t *items; /* NULL: out of memory */
    unsigned limit;
    const char *after;
    char last[WEB_AFTER_MAX];
    bool more;
};

enum page_step { PAGE_SKIP, PAGE_TAKE, PAGE_STOP };

void page_begin(struct page *page, const struct exchange *x);
/* What to do with the row of this key. */
enum page_step page_step(struct page *page, const char *key);
/* The row's JSON, taken; NULL: out of memory. */
void page_add(struct page *page, json_t *item);
/* Answers the exchange. */
void page_reply(struct page *page, struct exchange *x);

/* RFC 3339, UTC: "2024-05-01T12:00:00Z". */
#define TIME_TEXT_MAX 32
const char *time_text(char out[TIME_TEXT_MAX], int64_t seconds);
/* Text that may be anything as JSON: what is not printable ASCII becomes '?'. */
json_t *json_of_foreign_text(const char *text);
/* "": NULL, which json_pack's s? makes null. */
const char *text_or_null(const char *text);

#endif
