/* SPDX-License-Identifier: Apache-2.0 */
/* The access snapshot of lu.h: built from lunmgr's hosts and mappings on the control
 * thread, counted and read on any. */
#include "target/lu.h"

#include "lunmgr/host.h"
#include "lunmgr/throttle.h"
#include "target/unit.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ACCESS_MAGIC  0x61636373U
#define ANY_INITIATOR "any"

struct initiator {
    char *name;
    const struct access_host *host;
};

struct access {
    uint32_t magic;
    atomic_uint refs;
    struct access_host *hosts; /* in the order of host_next */
    size_t host_count;
    struct view *views; /* of all hosts, each host's together */
    size_t view_count;
    struct lu *lus; /* of all views, each view's together */
    uint32_t *luns; /* of each of lus, its number alone */
    size_t lu_count;
    struct unit **units; /* one of each volume shown, in order of the volume's address */
    struct throttle **limits; /* of each of units */
    size_t unit_count;
    struct initiator *initiators; /* in order of name */
    size_t initiator_count;
    const struct access_host *any; /* NULL: no open host */
    struct auth discovery;
};

/* iSCSI names are compared in lower case: RFC 7143, 4.2.7.2. */
static int initiator_compare(const void *a, const void *b)
{
    const struct initiator *left = a;
    const struct initiator *right = b;
    return strcasecmp(left->name, right->name);
}

static void access_destroy(struct access *a)
{
    for (size_t i = 0; i < a->unit_count; i++) {
        throttle_put(a->limits[i]);
        unit_put(a->units[i]);
    }
    for (size_t i = 0; i < a->initiator_count; i++)
        free(a->initiators[i].name);
    free(a->initiators);
    free(a->units);
    free(a->limits);
    free(a->luns);
    free(a->lus);
    for (size_t i = 0; i < a->host_count; i++) {
        throttle_put(a->hosts[i].limit);
        auth_wipe(&a->hosts[i].auth);
    }
    free(a->hosts);
    free(a->views);
    auth_wipe(&a->discovery);
    a->magic = 0;
    free(a);
}

static void auto_access(struct access **a)
{
    access_put(*a);
}

/* Counts what there is, so that each array is made once. */
static int access_reserve(struct access *a, struct lunmgr *m)
{
    size_t hosts = 0;
    size_t names = 0;
    size_t mappings = 0;
    for (struct host *h = host_next(m, NULL); h != NULL; h = host_next(m, h)) {
        struct host_info info;
        host_describe(h, &info);
        hosts++;
        names += info.initiator_count;
    }
    for (struct mapping *p = mapping_next(m, NULL); p != NULL; p = mapping_next(m, p))
        mappings++;

    a->hosts = calloc(hosts + 1, sizeof(*a->hosts));
    a->views = calloc(hosts + mappings + 1, sizeof(*a->views));
    a->initiators = calloc(names + 1, sizeof(*a->initiators));
    a->lus = calloc(mappings + 1, sizeof(*a->lus));
    a->luns = calloc(mappings + 1, sizeof(*a->luns));
    a->units = calloc(mappings + 1, sizeof(struct unit *));
    a->limits = calloc(mappings + 1, sizeof(struct throttle *));
    bool all = a->hosts != NULL && a->views != NULL && a->initiators != NULL &&
               a->lus != NULL && a->luns != NULL && a->units != NULL && a->limits != NULL;
    return all ? 0 : -ENOMEM;
}

static int unit_compare(const void *volume, const void *entry)
{
    uintptr_t left = (uintptr_t)volume;
    uintptr_t right = (uintptr_t)(*(struct unit *const *)entry)->volume;
    return left < right ? -1 : left > right;
}

static int volume_compare(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t) * (struct volume *const *)a;
    uintptr_t right = (uintptr_t) * (struct volume *const *)b;
    return left < right ? -1 : left > right;
}

/* unit_count: it is not shown. */
static size_t unit_index(const struct access *a, const struct volume *volume)
{
    struct unit *const *found =
        bsearch(volume, a->units, a->unit_count, sizeof(struct unit *), unit_compare);
    return found != NULL ? (size_t)(found - a->units) : a->unit_count;
}

/* *out: none, or the one of before if its limits are these, or a new one. */
static int limit_create(const struct qos *qos, const struct throttle *before,
                        struct throttle **out)
{
    *out = NULL;
    if (!qos_is_limited(qos))
        return 0;
    if (before != NULL && qos_equals(&before->qos, qos))
        *out = throttle_get((struct throttle *)(uintptr_t)before);
    else
        *out = throttle_create(qos, TARGET_REACTOR_MAX);
    return *out != NULL ? 0 : -ENOMEM;
}

static int access_add_unit(struct access *a, struct volume *volume,
                           const struct access *before)
{
    size_t was = before == NULL ? 0 : unit_index(before, volume);
    bool had = before != NULL && was < before->unit_count;
    struct unit *unit = had ? unit_get(before->units[was]) : unit_create(volume);
    if (unit == NULL)
        return -ENOMEM;
    a->units[a->unit_count++] = unit;
    return limit_create(volume_qos(volume), had ? before->limits[was] : NULL,
                        &a->limits[a->unit_count - 1]);
}

/* One unit for each volume that is mapped, the one of before where there was one. */
static int access_add_units(struct access *a, struct lunmgr *m,
                            const struct access *before)
{
    size_t count = 0;
    for (struct mapping *p = mapping_next(m, NULL); p != NULL; p = mapping_next(m, p))
        count++;
    AUTO_FREE struct volume **volumes = calloc(count + 1, sizeof(struct volume *));
    if (volumes == NULL)
        return -ENOMEM;
    count = 0;
    for (struct mapping *p = mapping_next(m, NULL); p != NULL; p = mapping_next(m, p))
        volumes[count++] = mapping_volume(p);
    qsort(volumes, count, sizeof(struct volume *), volume_compare);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && volumes[i] == volumes[i - 1])
            continue;
        if (access_add_unit(a, volumes[i], before) != 0)
            return -ENOMEM;
    }
    return 0;
}

static uint8_t block_shift_of(uint32_t block_bytes)
{
    assert(block_bytes == 512 || block_bytes == 4096);
    return block_bytes == 512 ? 9 : 12;
}

static uint8_t physical_exponent_of(const struct volume *volume)
{
    return (uint8_t)(block_shift_of(volume_physical_bytes(volume)) -
                     block_shift_of(volume_block_bytes(volume)));
}

static void access_add_lu(struct access *a, const struct mapping *mapping,
                          const struct mapping_info *info, const struct access_host *host)
{
    struct volume *volume = mapping_volume(mapping);
    size_t unit = unit_index(a, volume);
    assert(unit < a->unit_count);
    a->luns[a->lu_count] = info->lun;
    a->lus[a->lu_count++] = (struct lu){
        .lun = info->lun,
        .read_only = info->read_only,
        .block_shift = block_shift_of(volume_block_bytes(volume)),
        .physical_exponent = physical_exponent_of(volume),
        .volume = volume,
        .unit = a->units[unit],
        .limits = {[LU_OF_VOLUME] = a->limits[unit], [LU_OF_HOST] = host->limit},
    };
}

static bool is_of_host(const struct mapping *mapping, const struct host *host)
{
    return mapping != NULL && mapping_host(mapping) == host;
}

static struct view *access_add_view(struct access *a, struct access_host *host,
                                    const char *target)
{
    struct view *view = &a->views[a->view_count++];
    view->host = host;
    snprintf(view->target, sizeof(view->target), "%s", target);
    view->lus = &a->lus[a->lu_count];
    view->luns = &a->luns[a->lu_count];
    host->view_count++;
    return view;
}

/* first: of the host's mappings, which come one after the other, in order of LUN. */
static void access_add_shared(struct access *a, struct lunmgr *m, struct mapping *first,
                              const struct host *host, struct view *view)
{
    for (struct mapping *p = first; is_of_host(p, host); p = mapping_next(m, p)) {
        struct mapping_info info;
        mapping_describe(p, &info);
        if (info.own_target)
            continue;
        assert(view->lu_count == 0 || view->lus[view->lu_count - 1].lun < info.lun);
        access_add_lu(a, p, &info, view->host);
        view->lu_count++;
    }
}

static int view_compare(const void *a, const void *b)
{
    return strcasecmp(((const struct view *)a)->target, ((const struct view *)b)->target);
}

/* The same. Returns the first mapping of the next host. */
static struct mapping *access_add_own(struct access *a, struct lunmgr *m,
                                      struct mapping *first, const struct host *host,
                                      const char *box, struct access_host *to)
{
    struct view *own = &a->views[a->view_count];
    struct mapping *p = first;
    for (; is_of_host(p, host); p = mapping_next(m, p)) {
        struct mapping_info info;
        char name[NODE_NAME_MAX + 1];
        mapping_describe(p, &info);
        if (!info.own_target)
            continue;
        access_target_name(box, p, name);
        access_add_view(a, to, name)->lu_count = 1;
        access_add_lu(a, p, &info, to);
    }
    qsort(own, to->view_count - 1, sizeof(*own), view_compare);
    return p;
}

static int access_add_initiators(struct access *a, const struct host_info *info,
                                 const struct access_host *host)
{
    for (size_t i = 0; i < info->initiator_count; i++) {
        if (strcmp(info->initiators[i], ANY_INITIATOR) == 0) {
            if (a->any == NULL)
                a->any = host;
            continue;
        }
        char *name = strdup(info->initiators[i]);
        if (name == NULL)
            return -ENOMEM;
        a->initiators[a->initiator_count++] =
            (struct initiator){.name = name, .host = host};
    }
    return 0;
}

/* *next: its first mapping if it has one; then that of the next host. */
static int access_add_host(struct access *a, struct lunmgr *m, const struct host *host,
                           const char *box, const struct access *before,
                           struct mapping **next)
{
    struct access_host *to = &a->hosts[a->host_count++];
    struct host_info info;
    host_describe(host, &info);
    memcpy(to->id, info.id, sizeof(to->id));
    memcpy(to->name, info.name, sizeof(to->name));
    to->auth = *info.auth;
    to->auth.forbid_md5 |= a->discovery.forbid_md5; /* the whole box's */
    const struct throttle *was =
        before != NULL ? access_host_limit(before, info.id) : NULL;
    if (limit_create(&info.qos, was, &to->limit) != 0)
        return -ENOMEM;
    to->views = &a->views[a->view_count];
    access_add_shared(a, m, *next, host, access_add_view(a, to, box));
    *next = access_add_own(a, m, *next, host, box, to);
    return access_add_initiators(a, &info, to);
}

void access_target_name(const char *box, const struct mapping *mapping,
                        char out[NODE_NAME_MAX + 1])
{
    struct mapping_info info;
    mapping_describe(mapping, &info);
    if (info.own_target)
        snprintf(out, NODE_NAME_MAX + 1, "%s:%s", box,
                 volume_serial(mapping_volume(mapping)));
    else
        snprintf(out, NODE_NAME_MAX + 1, "%s", box);
}

int access_create(struct lunmgr *m, const char *box, const struct access *before,
                  struct access **out)
{
    __attribute__((cleanup(auto_access))) struct access *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return -ENOMEM;
    a->magic = ACCESS_MAGIC;
    atomic_init(&a->refs, 1);
    a->discovery = *auth_box(m);
    if (access_reserve(a, m) != 0 || access_add_units(a, m, before) != 0)
        return -ENOMEM;
    struct mapping *next = mapping_next(m, NULL);
    for (struct host *h = host_next(m, NULL); h != NULL; h = host_next(m, h)) {
        if (access_add_host(a, m, h, box, before, &next) != 0)
            return -ENOMEM;
    }
    assert(next == NULL); /* mappings are in the order of hosts */
    qsort(a->initiators, a->initiator_count, sizeof(*a->initiators), initiator_compare);
    *out = TAKE(a);
    return 0;
}

struct access *access_get(struct access *a)
{
    assert(a->magic == ACCESS_MAGIC);
    atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
    return a;
}

void access_put(struct access *a)
{
    if (a == NULL)
        return;
    assert(a->magic == ACCESS_MAGIC);
    /* acq_rel: what the other holders did with it happened before it is freed. */
    if (atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) == 1)
        access_destroy(a);
}

struct unit *access_unit(const struct access *a, size_t index)
{
    assert(a->magic == ACCESS_MAGIC);
    return index < a->unit_count ? a->units[index] : NULL;
}

const struct throttle *access_volume_limit(const struct access *a,
                                           const struct volume *volume)
{
    size_t index = unit_index(a, volume);
    return index < a->unit_count ? a->limits[index] : NULL;
}

const struct throttle *access_host_limit(const struct access *a, const char *id)
{
    for (size_t i = 0; i < a->host_count; i++) {
        if (strcmp(a->hosts[i].id, id) == 0)
            return a->hosts[i].limit;
    }
    return NULL;
}

static int initiator_find(const void *name, const void *entry)
{
    return strcasecmp(name, ((const struct initiator *)entry)->name);
}

const struct access_host *access_host(const struct access *a, const char *initiator)
{
    assert(a->magic == ACCESS_MAGIC);
    const struct initiator *found = bsearch(initiator, a->initiators, a->initiator_count,
                                            sizeof(*a->initiators), initiator_find);
    return found != NULL ? found->host : a->any;
}

const struct view *access_view(const struct access *a, const char *initiator,
                               const char *target)
{
    const struct access_host *host = access_host(a, initiator);
    return host != NULL ? access_host_view(host, target) : NULL;
}

const struct auth *access_auth(const struct access *a, const char *initiator,
                               bool discovery)
{
    if (discovery)
        return &a->discovery;
    const struct access_host *host = access_host(a, initiator);
    assert(host != NULL);
    return &host->auth;
}
