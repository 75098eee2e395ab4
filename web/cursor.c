/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors (see cursor.h): base64url of the list's hash and a place. A made up place does
 * no harm: it is compared with, and no more. */
#include "web/cursor.h"

#include "base/digest.h"
#include "web/base64.h"
#include "web/path.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define RAW_MAX (CURSOR_LIST_BYTES + ORDER_PLACE_MAX)
static_assert(WEB_CURSOR_MAX > BASE64_TEXT_BYTES(RAW_MAX), "every place fits");

void cursor_list(const struct resource *r, const struct query *query,
                 struct cursor_list *out)
{
    const char *const parts[] = {r->collection, query->filter, query->sort,
                                 query->volume};
    uint8_t digest[DIGEST_BYTES];
    struct digest d;
    digest_begin(&d);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        digest_add(&d, parts[i], strlen(parts[i]) + 1);
    digest_end(&d, digest);
    memcpy(out->hash, digest, sizeof(out->hash));
}

void cursor_put(const struct cursor_list *list, const struct place *place,
                char out[WEB_CURSOR_MAX])
{
    uint8_t raw[RAW_MAX];
    memcpy(raw, list->hash, sizeof(list->hash));
    memcpy(raw + sizeof(list->hash), place->at, place->bytes);
    base64url_put(raw, sizeof(list->hash) + place->bytes, out);
}

static bool refuse(struct problem *problem, const char *text)
{
    problem_set(problem, PROBLEM_BAD_PARAMETER, "%s", text);
    snprintf(problem->parameter, sizeof(problem->parameter), "after");
    problem_accepts(problem, "the value of next of the page before, with the same filter "
                             "and sort");
    return false;
}

bool cursor_read(const char *text, const struct cursor_list *list, struct place *out,
                 struct problem *problem)
{
    uint8_t raw[RAW_MAX];
    size_t count;
    out->bytes = out->name_at = 0;
    if (text[0] == '\0')
        return true;
    if (!base64url_read(text, raw, sizeof(raw), &count) || count <= sizeof(list->hash))
        return refuse(problem, "it is no cursor");
    if (memcmp(raw, list->hash, sizeof(list->hash)) != 0)
        return refuse(problem, "the cursor is of another list, filter or order");
    out->bytes = count - sizeof(list->hash);
    memcpy(out->at, raw + sizeof(list->hash), out->bytes);
    return true;
}
