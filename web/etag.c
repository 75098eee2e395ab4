/* SPDX-License-Identifier: Apache-2.0 */
/* Entity tags (RFC 9110, 8.8.3), made of what a client can set: not of counters and
 * usage, which change while nobody changes the resource. Control thread. */
#include "web/resource.h"

#include "base/digest.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define CUT_BYTES 16

static_assert(ETAG_MAX >= 2 * CUT_BYTES + 3, "hex, quotes and NUL");

static void hash_text(struct digest *d, const char *text)
{
    digest_add(d, text, strlen(text) + 1);
}

/* Without memory it is another tag: an If-Match then fails, as is safe. */
static void hash_column(struct digest *d, const struct web *web, const struct column *c,
                        const void *info)
{
    struct json_text text = {.at = NULL};
    member_put(&text, web, c, info);
    hash_text(d, c->name);
    digest_add(d, text.at, text.length);
    json_text_fini(&text);
}

static void hash_info(const struct web *web, const struct resource *r, const void *info,
                      uint8_t hash[DIGEST_BYTES])
{
    struct digest d;
    char room[RESOURCE_ID_MAX];
    digest_begin(&d);
    hash_text(&d, r->kind);
    hash_text(&d, resource_id(r, info, room));
    for (const struct column *c = r->columns; c->name != NULL; c++) {
        if (c->settable)
            hash_column(&d, web, c, info);
    }
    digest_end(&d, hash);
}

static void put_tag(const uint8_t hash[DIGEST_BYTES], char out[ETAG_MAX])
{
    size_t at = (size_t)snprintf(out, ETAG_MAX, "\"");
    for (size_t i = 0; i < CUT_BYTES; i++)
        at += (size_t)snprintf(out + at, ETAG_MAX - at, "%02x", hash[i]);
    snprintf(out + at, ETAG_MAX - at, "\"");
}

void resource_info_etag(const struct web *web, const struct resource *r, const void *info,
                        char out[ETAG_MAX])
{
    uint8_t hash[DIGEST_BYTES];
    hash_info(web, r, info, hash);
    put_tag(hash, out);
}

void resource_etag(const struct web *web, const struct resource *r, const void *object,
                   char out[ETAG_MAX])
{
    union resource_room room;
    resource_info_etag(web, r, resource_info(web, r, object, &room), out);
}

bool etag_is_named(const char *header, const char *etag, bool weak)
{
    size_t length = strlen(etag);
    const char *at = header + strspn(header, " \t,");
    if (*at == '*')
        return true;
    while (*at != '\0') {
        bool is_weak = at[0] == 'W' && at[1] == '/';
        at += is_weak ? 2 : 0;
        if ((weak || !is_weak) && strncmp(at, etag, length) == 0)
            return true;
        if (*at == '"') /* to the tag's end: it may have a comma in it */
            at += 1 + strcspn(at + 1, "\"");
        at += strcspn(at, ",");
        at += strspn(at, " \t,");
    }
    return false;
}
