/* SPDX-License-Identifier: Apache-2.0 */
/* A state of reservation: how it is made and looked at. How it changes is
 * reservation_change.c's. Pure; any thread. */
#include "target/reservation.h"

#include "target/reservation_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Nexuses ---------------------------------------------------------------------- */

/* FNV-1a. Who makes names collide gains nothing: they are compared too. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t bytes)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ p[i]) * 0x100000001b3;
    return hash;
}

void reservation_nexus_seal(struct reservation_nexus *nexus)
{
    const struct nexus_name *n = &nexus->name;
    uint64_t hash = hash_bytes(0xcbf29ce484222325, n->initiator, strlen(n->initiator));
    hash = hash_bytes(hash, n->isid, sizeof(n->isid));
    hash = hash_bytes(hash, n->target, strlen(n->target));
    nexus->hash = hash_bytes(hash, &n->portal_group_tag, sizeof(n->portal_group_tag));
}

static void name_in_lower_case(char out[REGISTRATION_NAME_MAX], const char *name)
{
    size_t bytes = strlen(name);
    assert(bytes < REGISTRATION_NAME_MAX);
    for (size_t i = 0; i < bytes; i++)
        out[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
}

void reservation_nexus_init(struct reservation_nexus *nexus, const char *initiator,
                            const uint8_t isid[REGISTRATION_ISID_BYTES],
                            const char *target, uint16_t portal_group_tag)
{
    memset(nexus, 0, sizeof(*nexus));
    name_in_lower_case(nexus->name.initiator, initiator);
    name_in_lower_case(nexus->name.target, target);
    memcpy(nexus->name.isid, isid, REGISTRATION_ISID_BYTES);
    nexus->name.portal_group_tag = portal_group_tag;
    reservation_nexus_seal(nexus);
}

bool reservation_nexus_equals(const struct reservation_nexus *a,
                              const struct reservation_nexus *b)
{
    return a->hash == b->hash && a->name.portal_group_tag == b->name.portal_group_tag &&
           memcmp(a->name.isid, b->name.isid, REGISTRATION_ISID_BYTES) == 0 &&
           strcmp(a->name.initiator, b->name.initiator) == 0 &&
           strcmp(a->name.target, b->name.target) == 0;
}

/* ---- The state -------------------------------------------------------------------- */

struct reservation *reservation_new(size_t room)
{
    struct reservation *r =
        calloc(1, sizeof(*r) + room * (sizeof(r->members[0]) + sizeof(r->hashes[0])));
    if (r != NULL)
        atomic_init(&r->refs, 1);
    return r;
}

void reservation_seal(struct reservation *r, size_t room)
{
    uint64_t *hashes = (uint64_t *)(void *)(r->members + room); /* they lie behind */
    assert(r->count <= room);
    for (uint32_t i = 0; i < r->count; i++)
        hashes[i] = r->members[i].nexus.hash;
    r->hashes = hashes;
    r->restricts = r->is_reserved || r->type != RESERVATION_NONE;
}

const struct reservation *reservation_get(const struct reservation *r)
{
    if (r != NULL)
        atomic_fetch_add_explicit(&((struct reservation *)(uintptr_t)r)->refs, 1,
                                  memory_order_relaxed);
    return r;
}

void reservation_put(const struct reservation *r)
{
    while (r != NULL) {
        struct reservation *own = (struct reservation *)(uintptr_t)r;
        const struct reservation *without = own->without;
        if (atomic_fetch_sub_explicit(&own->refs, 1, memory_order_acq_rel) != 1)
            return;
        free(own);
        r = without;
    }
}

uint32_t reservation_find(const struct reservation *r,
                          const struct reservation_nexus *nexus)
{
    uint32_t count = r == NULL ? 0 : r->count;
    for (uint32_t i = 0; i < count; i++)
        if (r->hashes[i] == nexus->hash &&
            reservation_nexus_equals(&r->members[i].nexus, nexus))
            return i;
    return RESERVATION_NOBODY;
}

const struct reservation_member *reservation_member_of(const struct reservation *r,
                                                       const struct reservation_nexus *n)
{
    uint32_t index = reservation_find(r, n);
    return index == RESERVATION_NOBODY ? NULL : &r->members[index];
}

bool reservation_is_held_by(const struct reservation *r,
                            const struct reservation_nexus *n)
{
    if (r == NULL || r->type == RESERVATION_NONE)
        return false;
    if (reservation_type_is_all(r->type))
        return reservation_find(r, n) != RESERVATION_NOBODY;
    return reservation_nexus_equals(&r->members[r->holder].nexus, n);
}

/* ---- Commands and reservations ---------------------------------------------------- */

static bool may_do_all(const struct reservation *r, const struct reservation_nexus *who)
{
    return reservation_type_is_shared(r->type)
               ? reservation_find(r, who) != RESERVATION_NOBODY
               : reservation_nexus_equals(&r->members[r->holder].nexus, who);
}

bool reservation_restricts_nexus(const struct reservation *r,
                                 const struct reservation_nexus *who,
                                 enum reservation_class class)
{
    if (class == RESERVATION_CLASS_FREE || class == RESERVATION_CLASS_RESERVE)
        return false;
    if (r->is_reserved) /* SPC-2, 5.5.1 */
        return class == RESERVATION_CLASS_PR ||
               !reservation_nexus_equals(&r->reserver, who);
    if (class == RESERVATION_CLASS_STATUS || class == RESERVATION_CLASS_PR)
        return false;
    if (class == RESERVATION_CLASS_READ && !reservation_type_excludes(r->type))
        return false;
    return !may_do_all(r, who);
}

/* ---- PERSISTENT RESERVE IN -------------------------------------------------------- */

static void read_keys(const struct reservation *r, struct wire *out)
{
    pr_list_begin(out, r == NULL ? 0 : r->generation);
    for (uint32_t i = 0; r != NULL && i < r->count; i++)
        pr_list_put_key(out, r->members[i].key);
    pr_list_end(out);
}

static void read_full_status(const struct reservation *r, struct wire *out)
{
    pr_list_begin(out, r == NULL ? 0 : r->generation);
    for (uint32_t i = 0; r != NULL && i < r->count; i++) {
        const struct reservation_member *m = &r->members[i];
        bool is_holder = reservation_type_is_all(r->type) ||
                         (r->type != RESERVATION_NONE && r->holder == i);
        pr_list_put_status(out, &m->nexus.name, m->key, is_holder, r->type);
    }
    pr_list_end(out);
}

static void read_reservation(const struct reservation *r, struct wire *out)
{
    if (r == NULL || r->type == RESERVATION_NONE) {
        pr_reservation_encode(out, r == NULL ? 0 : r->generation, RESERVATION_NONE, 0);
        return;
    }
    uint64_t key = reservation_type_is_all(r->type) ? 0 : r->members[r->holder].key;
    pr_reservation_encode(out, r->generation, r->type, key);
}

void reservation_read(const struct reservation *r, enum pr_in_action action,
                      struct wire *out)
{
    switch (action) {
    case PR_READ_KEYS:
        read_keys(r, out);
        break;
    case PR_READ_RESERVATION:
        read_reservation(r, out);
        break;
    case PR_REPORT_CAPABILITIES:
        pr_capabilities_encode(out, r != NULL && r->aptpl);
        break;
    case PR_READ_FULL_STATUS:
        read_full_status(r, out);
        break;
    }
}

/* ---- What outlives the daemon ----------------------------------------------------- */

int reservation_keep(const struct reservation *r, struct kept_reservation **out)
{
    *out = NULL;
    if (r == NULL || !r->aptpl || r->count == 0)
        return 0;
    struct kept_reservation *kept =
        calloc(1, sizeof(*kept) + r->count * sizeof(kept->list[0]));
    if (kept == NULL)
        return -ENOMEM;
    kept->type = r->type;
    kept->holder = r->holder;
    kept->count = r->count;
    for (uint32_t i = 0; i < r->count; i++) {
        kept->list[i].nexus = r->members[i].nexus.name;
        kept->list[i].key = r->members[i].key;
    }
    *out = kept;
    return 0;
}

int reservation_load(const struct kept_reservation *kept, const struct reservation **out)
{
    *out = NULL;
    if (kept == NULL)
        return 0;
    assert(kept->count > 0 && kept->holder < kept->count);
    struct reservation *r = reservation_new(kept->count);
    if (r == NULL)
        return -ENOMEM;
    r->aptpl = true;
    r->type = kept->type;
    r->holder = kept->holder;
    r->count = kept->count;
    for (uint32_t i = 0; i < r->count; i++) {
        r->members[i].nexus.name = kept->list[i].nexus;
        reservation_nexus_seal(&r->members[i].nexus);
        r->members[i].key = kept->list[i].key;
    }
    reservation_seal(r, kept->count);
    *out = r;
    return 0;
}
