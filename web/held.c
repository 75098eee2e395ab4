/* SPDX-License-Identifier: Apache-2.0 */
/* What is held for a slice (see held.h). */
#include "web/held.h"

#include <stdlib.h>
#include <string.h>

void held_begin(struct web *web, struct held *held)
{
    held->has_portals = held->has_logins = false;
    web->held = held;
}

void held_end(struct web *web)
{
    web->held = NULL;
}

const struct portals *held_portals(const struct web *web, struct portals *room)
{
    struct held *held = web->held;
    struct portals *out = held == NULL ? room : &held->portals;
    if (held == NULL || !held->has_portals)
        portals_list(web->target, out);
    if (held != NULL)
        held->has_portals = true;
    return out;
}

/* ---- Logins ------------------------------------------------------------------------ */

static int by_host(const void *a, const void *b)
{
    const struct login_seen *left = a, *right = b;
    return strcmp(left->host, right->host);
}

static void table_fill(const struct target *t, struct login_table *out)
{
    out->count = 0;
    for (const struct target_seen *seen = target_seen_next(t, NULL); seen != NULL;
         seen = target_seen_next(t, seen)) {
        const char *host = target_seen_host(t, seen);
        if (host != NULL)
            out->of[out->count++] = (struct login_seen){host, seen};
    }
    qsort(out->of, out->count, sizeof(out->of[0]), by_host);
}

static size_t table_first(const struct login_table *table, const char *host)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(table->of[mid].host, host) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct logins table_logins(const struct login_table *table, const char *host)
{
    struct logins out = {.accepted = NULL};
    for (size_t i = table_first(table, host);
         i < table->count && strcmp(table->of[i].host, host) == 0; i++) {
        const struct target_seen *seen = table->of[i].seen;
        if (seen->accepted_s > (out.accepted == NULL ? 0 : out.accepted->accepted_s))
            out.accepted = seen;
        if (seen->refused_s > (out.refused == NULL ? 0 : out.refused->refused_s))
            out.refused = seen;
    }
    return out;
}

struct logins held_logins(const struct web *web, const char *host)
{
    struct login_table room;
    struct held *held = web->held;
    struct login_table *table = held == NULL ? &room : &held->logins;
    if (held == NULL || !held->has_logins)
        table_fill(web->target, table);
    if (held != NULL)
        held->has_logins = true;
    return table_logins(table, host);
}
