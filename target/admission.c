/* SPDX-License-Identifier: Apache-2.0 */
/* An entry for each address that has a connection, in a small hash. There are at most as
 * many as connections. */
#include "target/admission.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct visitor {
    struct visitor *next;
    uint8_t ip[IP_BYTES];
    uint64_t logins, open;
};

void admission_init(struct admission *a, const struct limits *limits)
{
    *a = (struct admission){.limits = limits};
    pthread_mutex_init(&a->lock, NULL);
}

void admission_fini(struct admission *a)
{
    pthread_mutex_destroy(&a->lock);
    for (size_t i = 0; i < ADMISSION_HASH; i++)
        assert(a->visitors[i] == NULL);
}

/* Its place, or where it would be. */
static struct visitor **admission_find(struct admission *a, const uint8_t ip[IP_BYTES])
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (size_t i = 0; i < IP_BYTES; i++)
        hash = (hash ^ ip[i]) * 16777619U;
    struct visitor **at = &a->visitors[hash % ADMISSION_HASH];
    while (*at != NULL && memcmp((*at)->ip, ip, IP_BYTES) != 0)
        at = &(*at)->next;
    return at;
}

static bool admission_passes(const struct admission *a, enum target_limit which,
                             uint64_t count, enum target_limit *limit)
{
    if (count < limit_get(a->limits, which))
        return false;
    *limit = which;
    return true;
}

static int admission_add_login(struct admission *a, const uint8_t ip[IP_BYTES],
                               enum target_limit *limit)
{
    struct visitor **at = admission_find(a, ip);
    /* Of its own address first: that says more. */
    if (admission_passes(a, LIMIT_ADDRESS_LOGINS, *at == NULL ? 0 : (*at)->logins,
                         limit) ||
        admission_passes(a, LIMIT_LOGINS, a->logins, limit))
        return -EMFILE;
    if (*at == NULL) {
        *at = calloc(1, sizeof(**at));
        if (*at == NULL)
            return -ENOMEM;
        memcpy((*at)->ip, ip, IP_BYTES);
    }
    (*at)->logins++;
    a->logins++;
    return 0;
}

int admission_enter(struct admission *a, const uint8_t ip[IP_BYTES],
                    enum target_limit *limit)
{
    pthread_mutex_lock(&a->lock);
    int rc = admission_add_login(a, ip, limit);
    pthread_mutex_unlock(&a->lock);
    return rc;
}

int admission_open(struct admission *a, const uint8_t ip[IP_BYTES],
                   enum target_limit *limit)
{
    pthread_mutex_lock(&a->lock);
    struct visitor *v = *admission_find(a, ip);
    bool refused = admission_passes(a, LIMIT_ADDRESS_CONNECTIONS, v->open, limit) ||
                   admission_passes(a, LIMIT_CONNECTIONS, a->open, limit);
    if (!refused) {
        v->logins--;
        a->logins--;
        v->open++;
        a->open++;
    }
    pthread_mutex_unlock(&a->lock);
    return refused ? -EMFILE : 0;
}

void admission_leave(struct admission *a, const uint8_t ip[IP_BYTES], bool open)
{
    pthread_mutex_lock(&a->lock);
    struct visitor **at = admission_find(a, ip);
    struct visitor *v = *at;
    uint64_t *own = open ? &v->open : &v->logins;
    assert(*own > 0);
    --*own;
    --*(open ? &a->open : &a->logins);
    if (v->open + v->logins == 0) {
        *at = v->next;
        free(v);
    }
    pthread_mutex_unlock(&a->lock);
}
