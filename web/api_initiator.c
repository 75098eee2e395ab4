/* SPDX-License-Identifier: Apache-2.0 */
/* Initiators whose logins were refused, and why. List. Control thread. */
#include "target/target.h"
#include "web/api.h"
#include "web/resource.h"

#include <stdio.h>

struct seen_info {
    struct target_seen seen;
    char host[64];  /* "": none */
    char status[8]; /* hex */
};
#define SEEN(member) COLUMN_AT(struct seen_info, member)

static const struct column columns[] = {
    {"initiator", COLUMN_TEXT, SEEN(seen.initiator)},
    {"address", COLUMN_TEXT, SEEN(seen.address)},
    {"host", COLUMN_TEXT, SEEN(host), .nullable = true},
    {"count", COLUMN_UINT, SEEN(seen.refusals)},
    {"last", COLUMN_TIME, SEEN(seen.refused_s)},
    {"status", COLUMN_TEXT, SEEN(status)},
    {"reason", COLUMN_TEXT, SEEN(seen.reason)},
    {.name = NULL},
};

static void *seen_after(const struct web *web, uint64_t id)
{
    const struct target_seen *seen = target_seen_after(web->target, id);
    while (seen != NULL && seen->refusals == 0)
        seen = target_seen_next(web->target, seen);
    return (void *)(uintptr_t)seen;
}

static void *seen_next(const struct web *web, struct row_walk *walk)
{
    return seen_after(web, strtoull(walk->after, NULL, 10));
}

static void *seen_find(const struct web *web, const char *name)
{
    uint64_t id;
    if (!path_number(name, &id) || id == 0)
        return NULL;
    struct target_seen *seen = seen_after(web, id - 1);
    return seen != NULL && seen->id == id ? seen : NULL;
}

static void seen_describe(const struct web *web, const void *object, void *out)
{
    struct seen_info *info = out;
    const struct target_seen *seen = object;
    const char *host = target_seen_host(web->target, seen);
    info->seen = *seen;
    snprintf(info->host, sizeof(info->host), "%s", host == NULL ? "" : host);
    snprintf(info->status, sizeof(info->status), "%04x", (unsigned)seen->status);
}

static void seen_key(const void *seen, const void *info, char key[WEB_AFTER_MAX])
{
    (void)info;
    number_key(key, ((const struct target_seen *)seen)->id);
}

const struct resource resource_initiator = {
    .kind = "initiator",
    .collection = "/v1/initiators/seen",
    .info_bytes = sizeof(struct seen_info),
    .columns = columns,
    .find = seen_find,
    .next = seen_next,
    .describe = seen_describe,
    .key = seen_key,
    .key_is_id = true,
};
