/* SPDX-License-Identifier: Apache-2.0 */
/* A table of those who failed of late: short enough to be searched from end to end. */
#include "web/auth_limit.h"

#define MS_PER_S 1000

static size_t find(const struct auth_limit *a, const struct peer *peer)
{
    size_t i = 0;
    while (i < a->count && !peer_is_same(&a->entries[i].peer, peer))
        i++;
    return i;
}

static size_t find_oldest(const struct auth_limit *a)
{
    size_t oldest = 0;
    for (size_t i = 1; i < a->count; i++) {
        if (a->entries[i].last_ms < a->entries[oldest].last_ms)
            oldest = i;
    }
    return oldest;
}

static struct auth_entry *take_entry(struct auth_limit *a, const struct peer *peer,
                                     int64_t now_ms)
{
    size_t at = find(a, peer);
    if (at < a->count)
        return &a->entries[at];
    at = a->count < WEB_AUTH_ADDRESSES_MAX ? a->count++ : find_oldest(a);
    a->entries[at] = (struct auth_entry){.peer = *peer, .since_ms = now_ms};
    return &a->entries[at];
}

unsigned auth_limit_wait_s(const struct auth_limit *a, const struct peer *peer,
                           int64_t now_ms)
{
    size_t at = find(a, peer);
    if (at == a->count || a->entries[at].until_ms <= now_ms)
        return 0;
    return (unsigned)((a->entries[at].until_ms - now_ms + MS_PER_S - 1) / MS_PER_S);
}

bool auth_limit_fail(struct auth_limit *a, const struct peer *peer, int64_t now_ms)
{
    struct auth_entry *entry = take_entry(a, peer, now_ms);
    if (now_ms - entry->since_ms >= WEB_AUTH_WINDOW_S * MS_PER_S) {
        entry->since_ms = now_ms;
        entry->failures = 0;
    }
    entry->last_ms = now_ms;
    if (++entry->failures < WEB_AUTH_FAILURES_MAX)
        return false;
    entry->failures = 0;
    entry->until_ms = now_ms + WEB_AUTH_LOCK_S * MS_PER_S;
    return true;
}
