/* SPDX-License-Identifier: Apache-2.0 */
/* How a state of reservation becomes the next: PERSISTENT RESERVE OUT (SPC-4, 5.13.7 to
 * 5.13.11), RESERVE and RELEASE (SPC-2, 5.5; SPC-4, 5.13.3).
 *
 * The next state is drafted as a copy in which a member of before keeps its index, and
 * one that goes has the key 0, which no registration has; then it is sealed without
 * those. A request that is refused half way leaves nothing but a draft to free. Pure. */
#include "target/reservation_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIST_ACTION_KEY 8 /* offsets in the parameter list, for the field pointer */
#define LIST_FLAGS      20
#define SPEC_I_PT_BIT   3
#define MOVE_PORT       18
#define CDB_ACTION      1
#define CDB_ACTION_BIT  4
#define CDB_TYPE        2
#define CDB_SCOPE_BIT   7
#define CDB_TYPE_BIT    3

struct draft {
    const struct reservation_request *request;
    const struct reservation_nexus *who;
    const struct reservation *before;
    uint32_t before_count;
    uint32_t self; /* the asker's index; RESERVATION_NOBODY: it is not registered */
    struct reservation *after;
    size_t room; /* for so many members */
    bool changes;
    struct reservation_outcome *out;
};

/* ---- Verdicts --------------------------------------------------------------------- */

static void draft_conflict(struct draft *d)
{
    d->out->status = SAM_RESERVATION_CONFLICT;
    d->changes = false;
}

static void draft_check(struct draft *d)
{
    d->out->status = SAM_CHECK_CONDITION;
    d->changes = false;
}

static void draft_refuse(struct draft *d, enum sense_code code)
{
    (void)sense_set(&d->out->sense, code);
    draft_check(d);
}

static void draft_refuse_param(struct draft *d, unsigned byte, int bit)
{
    (void)sense_set_param(&d->out->sense, byte, bit);
    draft_check(d);
}

static void draft_refuse_cdb(struct draft *d, unsigned byte, int bit)
{
    (void)sense_set_cdb(&d->out->sense, byte, bit);
    draft_check(d);
}

static bool draft_is_good(const struct draft *d)
{
    return d->out->status == SAM_GOOD;
}

/* 0: it is not registered. */
static uint64_t asker_key(const struct draft *d)
{
    return d->before == NULL || d->self == RESERVATION_NOBODY
               ? 0
               : d->before->members[d->self].key;
}

/* A service action that PRGENERATION counts has worked. */
static void draft_count(struct draft *d)
{
    d->after->generation++;
    d->changes = true;
}

/* ---- Whom to tell ----------------------------------------------------------------- */

/* A member of before, each at most once. */
static void draft_tell(struct draft *d, uint32_t index, enum sense_code code, bool aborts)
{
    struct reservation_outcome *out = d->out;
    assert(out->told_count < d->before_count);
    out->told[out->told_count++] = (struct reservation_told){
        .nexus = &d->before->members[index].nexus, .code = code, .aborts = aborts};
    out->aborts |= aborts;
}

/* All that are still registered, but the asker. */
static void draft_tell_others(struct draft *d, enum sense_code code)
{
    for (uint32_t i = 0; i < d->before_count; i++)
        if (i != d->self && d->after->members[i].key != 0)
            draft_tell(d, i, code, false);
}

/* ---- Members ---------------------------------------------------------------------- */

static uint32_t draft_find(const struct draft *d, const struct reservation_nexus *nexus)
{
    uint32_t index = reservation_find(d->before, nexus);
    for (uint32_t i = d->before_count; index == RESERVATION_NOBODY && i < d->after->count;
         i++)
        if (reservation_nexus_equals(&d->after->members[i].nexus, nexus))
            index = i;
    return index;
}

/* Its index; RESERVATION_NOBODY, refused: there is no room for one more. */
static uint32_t draft_add(struct draft *d, const struct reservation_nexus *nexus,
                          uint64_t key)
{
    if (d->after->count == d->room) {
        draft_refuse(d, SENSE_NO_REGISTRATION_RESOURCES);
        return RESERVATION_NOBODY;
    }
    uint32_t index = d->after->count++;
    d->after->members[index] = (struct reservation_member){.nexus = *nexus, .key = key};
    return index;
}

static bool draft_has_members(const struct draft *d)
{
    for (uint32_t i = 0; i < d->after->count; i++)
        if (d->after->members[i].key != 0)
            return true;
    return false;
}

static void draft_unreserve(struct draft *d)
{
    d->after->type = RESERVATION_NONE;
    d->after->holder = 0;
}

/* ---- REGISTER: SPC-4, 5.13.7 and 5.13.11.3 ---------------------------------------- */

/* The nexus of the initiator port and the nth target port, the asker's first. */
static struct reservation_nexus at_port(const struct draft *d,
                                        const struct reservation_nexus *nexus, size_t nth)
{
    struct reservation_nexus other = *nexus;
    other.name.portal_group_tag =
        nth == 0 ? d->who->name.portal_group_tag : d->request->port_tags[nth - 1];
    reservation_nexus_seal(&other);
    return other;
}

/* How many of at_port() the request is for; the asker's own comes twice with all. */
static size_t port_count(const struct draft *d)
{
    return d->request->list->all_ports ? 1 + d->request->port_count : 1;
}

/* As if it had come through each of the ports: one that is registered with another key
 * is a conflict. */
static bool register_key_fits(const struct draft *d)
{
    uint64_t key = d->request->list->key;
    if (key != asker_key(d))
        return false;
    for (size_t i = 1; i < port_count(d); i++) {
        struct reservation_nexus nexus = at_port(d, d->who, i);
        uint32_t index = reservation_find(d->before, &nexus);
        if (index != RESERVATION_NOBODY && d->before->members[index].key != key)
            return false;
    }
    return true;
}

/* Whoever holds a reservation of registrants, and goes, leaves the others without. */
static void register_holder_left(struct draft *d)
{
    struct reservation *r = d->after;
    if (r->type == RESERVATION_NONE)
        return;
    if (reservation_type_is_all(r->type)) {
        if (!draft_has_members(d))
            draft_unreserve(d);
    } else if (r->members[r->holder].key == 0) {
        if (reservation_type_is_shared(r->type))
            draft_tell_others(d, SENSE_RESERVATIONS_RELEASED);
        draft_unreserve(d);
    }
}

/* A key of 0 takes the registration away. */
static void register_set(struct draft *d, const struct reservation_nexus *nexus)
{
    uint64_t key = d->request->list->action_key;
    uint32_t index = draft_find(d, nexus);
    if (index != RESERVATION_NOBODY)
        d->after->members[index].key = key;
    else if (key != 0)
        (void)draft_add(d, nexus, key);
}

static void register_named(struct draft *d)
{
    const struct pr_list *list = d->request->list;
    struct transport_id id;
    for (size_t at = 0; draft_is_good(d) && pr_list_next_port(list, &at, &id);) {
        struct reservation_nexus named = *d->who;
        memcpy(named.name.initiator, id.name, sizeof(named.name.initiator));
        memcpy(named.name.isid, id.isid, sizeof(named.name.isid));
        for (size_t i = 0; draft_is_good(d) && i < port_count(d); i++) {
            struct reservation_nexus nexus = at_port(d, &named, i);
            if (draft_find(d, &nexus) == RESERVATION_NOBODY)
                (void)draft_add(d, &nexus, list->action_key);
        }
    }
}

static bool register_does_nothing(const struct draft *d)
{
    if (d->request->list->action_key != 0)
        return false;
    for (size_t i = 0; i < port_count(d); i++) {
        struct reservation_nexus nexus = at_port(d, d->who, i);
        if (reservation_find(d->before, &nexus) != RESERVATION_NOBODY)
            return false;
    }
    return true;
}

static void change_register(struct draft *d)
{
    const struct pr_list *list = d->request->list;
    if (d->request->cdb->action == PR_REGISTER && !register_key_fits(d)) {
        draft_conflict(d);
        return;
    }
    if (register_does_nothing(d))
        return;
    if (list->names_ports && d->self != RESERVATION_NOBODY) {
        draft_refuse_param(d, LIST_FLAGS, SPEC_I_PT_BIT);
        return;
    }
    draft_count(d);
    for (size_t i = 0; draft_is_good(d) && i < port_count(d); i++) {
        struct reservation_nexus nexus = at_port(d, d->who, i);
        register_set(d, &nexus);
    }
    if (draft_is_good(d) && list->names_ports && list->action_key != 0)
        register_named(d);
    if (!draft_is_good(d))
        return;
    register_holder_left(d);
    d->after->aptpl = list->aptpl;
}

/* ---- RESERVE, RELEASE, CLEAR: SPC-4, 5.13.9, 5.13.11.2, 5.13.11.6 ----------------- */

static bool draft_holds(const struct draft *d)
{
    return d->before->type != RESERVATION_NONE &&
           (reservation_type_is_all(d->before->type) || d->before->holder == d->self);
}

static bool type_is_good(struct draft *d)
{
    const struct cdb_pr_out *cdb = d->request->cdb;
    if (cdb->scope != PR_SCOPE_UNIT)
        draft_refuse_cdb(d, CDB_TYPE, CDB_SCOPE_BIT);
    else if (!reservation_type_exists(cdb->type))
        draft_refuse_cdb(d, CDB_TYPE, CDB_TYPE_BIT);
    return draft_is_good(d);
}

static void draft_reserve(struct draft *d)
{
    d->after->type = (enum reservation_type)d->request->cdb->type;
    d->after->holder = reservation_type_is_all(d->after->type) ? 0 : d->self;
    d->changes = true;
}

static void change_reserve(struct draft *d)
{
    if (!type_is_good(d))
        return;
    if (d->before->type == RESERVATION_NONE)
        draft_reserve(d);
    else if (!draft_holds(d) || d->before->type != d->request->cdb->type)
        draft_conflict(d);
}

static void change_release(struct draft *d)
{
    const struct cdb_pr_out *cdb = d->request->cdb;
    if (!draft_holds(d))
        return;
    if (cdb->scope != PR_SCOPE_UNIT || cdb->type != d->before->type) {
        draft_refuse(d, SENSE_INVALID_RELEASE);
        return;
    }
    draft_unreserve(d);
    if (reservation_type_is_shared(d->before->type))
        draft_tell_others(d, SENSE_RESERVATIONS_RELEASED);
    d->changes = true;
}

static void change_clear(struct draft *d)
{
    draft_tell_others(d, SENSE_RESERVATIONS_PREEMPTED);
    for (uint32_t i = 0; i < d->before_count; i++)
        d->after->members[i].key = 0;
    draft_unreserve(d);
    draft_count(d);
}

/* ---- PREEMPT: SPC-4, 5.13.11.4 and 5.13.11.5 -------------------------------------- */

static bool preempt_aborts(const struct draft *d)
{
    return d->request->cdb->action == PR_PREEMPT_AND_ABORT;
}

/* Of the others with that key (of all, with 0). How many went. */
static uint32_t preempt_others(struct draft *d, uint64_t key)
{
    uint32_t gone = 0;
    for (uint32_t i = 0; i < d->before_count; i++) {
        if (i == d->self || (key != 0 && d->before->members[i].key != key))
            continue;
        d->after->members[i].key = 0;
        draft_tell(d, i, SENSE_REGISTRATIONS_PREEMPTED, preempt_aborts(d));
        gone++;
    }
    return gone;
}

/* The asker itself is named by the key. */
static void preempt_self(struct draft *d)
{
    if (preempt_aborts(d))
        draft_tell(d, d->self, SENSE_NONE, true);
}

static void preempt_reservation(struct draft *d)
{
    uint64_t key = d->request->list->action_key;
    if (!type_is_good(d))
        return;
    (void)preempt_others(d, key);
    if (key != 0 && d->before->holder == d->self)
        preempt_self(d);
    if (d->request->cdb->type != d->before->type)
        draft_tell_others(d, SENSE_RESERVATIONS_RELEASED);
    draft_reserve(d);
    draft_count(d);
}

/* Scope and type are ignored. */
static void preempt_registrations(struct draft *d)
{
    uint64_t key = d->request->list->action_key;
    uint32_t gone = preempt_others(d, key);
    if (d->before->members[d->self].key == key) {
        d->after->members[d->self].key = 0;
        preempt_self(d);
        gone++;
    }
    if (gone == 0) {
        draft_conflict(d);
        return;
    }
    if (!draft_has_members(d))
        draft_unreserve(d);
    draft_count(d);
}

static void change_preempt(struct draft *d)
{
    const struct reservation *r = d->before;
    uint64_t key = d->request->list->action_key;
    bool all = reservation_type_is_all(r->type);
    if (key == 0 && !all)
        draft_refuse_param(d, LIST_ACTION_KEY, SENSE_NO_BIT);
    else if (all ? key == 0
                 : r->type != RESERVATION_NONE && r->members[r->holder].key == key)
        preempt_reservation(d);
    else
        preempt_registrations(d);
}

/* ---- REGISTER AND MOVE: SPC-4, 5.13.8 --------------------------------------------- */

static bool port_exists(const struct draft *d, uint16_t tag)
{
    for (size_t i = 0; i < d->request->port_count; i++)
        if (d->request->port_tags[i] == tag)
            return true;
    return false;
}

/* Where it goes; false, refused: there it cannot go. */
static bool move_target(struct draft *d, struct reservation_nexus *to)
{
    const struct pr_list *list = d->request->list;
    struct transport_id id;
    size_t at = 0;
    bool named = pr_list_next_port(list, &at, &id);
    assert(named);
    *to = *d->who;
    memcpy(to->name.initiator, id.name, sizeof(to->name.initiator));
    memcpy(to->name.isid, id.isid, sizeof(to->name.isid));
    to->name.portal_group_tag = list->relative_port;
    reservation_nexus_seal(to);
    if (list->action_key == 0)
        draft_refuse_param(d, LIST_ACTION_KEY, SENSE_NO_BIT);
    else if (!port_exists(d, list->relative_port))
        draft_refuse_param(d, MOVE_PORT, SENSE_NO_BIT);
    else if (strcmp(to->name.initiator, d->who->name.initiator) == 0 &&
             memcmp(to->name.isid, d->who->name.isid, sizeof(to->name.isid)) == 0)
        draft_refuse_param(d, list->ports_at, SENSE_NO_BIT);
    return draft_is_good(d);
}

static void change_move(struct draft *d)
{
    const struct pr_list *list = d->request->list;
    struct reservation_nexus to;
    if (d->before->type == RESERVATION_NONE) {
        draft_refuse_cdb(d, CDB_ACTION, CDB_ACTION_BIT);
        return;
    }
    if (reservation_type_is_all(d->before->type) || !draft_holds(d)) {
        draft_conflict(d);
        return;
    }
    if (!move_target(d, &to))
        return;
    uint32_t index = draft_find(d, &to);
    if (index == RESERVATION_NOBODY)
        index = draft_add(d, &to, list->action_key);
    if (index == RESERVATION_NOBODY)
        return;
    d->after->members[index].key = list->action_key;
    d->after->holder = index;
    if (list->unregisters)
        d->after->members[d->self].key = 0;
    d->after->aptpl = list->aptpl;
    draft_count(d);
}

/* ---- What the change means -------------------------------------------------------- */

/* What a nexus is kept from: nothing, writing, all. */
static int level_of(const struct reservation *r, uint32_t index, bool is_registered)
{
    if (r == NULL || r->type == RESERVATION_NONE)
        return 0;
    bool may = reservation_type_is_shared(r->type) ? is_registered
                                                   : is_registered && r->holder == index;
    if (may)
        return 0;
    return reservation_type_excludes(r->type) ? 2 : 1;
}

/* Before it is sealed: who is in both has one index. */
static bool draft_takes_away(const struct draft *d)
{
    const struct reservation *a = d->before, *b = d->after;
    for (uint32_t i = 0; i < b->count; i++)
        if (level_of(b, i, b->members[i].key != 0) > level_of(a, i, i < d->before_count))
            return true;
    return level_of(b, RESERVATION_NOBODY, false) >
           level_of(a, RESERVATION_NOBODY, false);
}

static void draft_seal(struct draft *d)
{
    struct reservation *r = d->after;
    uint32_t kept = 0, holder = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->members[i].key == 0)
            continue;
        if (i == r->holder)
            holder = kept;
        if (kept != i)
            r->members[kept] = r->members[i];
        kept++;
    }
    r->count = kept;
    r->holder =
        r->type == RESERVATION_NONE || reservation_type_is_all(r->type) ? 0 : holder;
    reservation_seal(r, d->room);
}

static bool keeps(const struct reservation *r)
{
    return r != NULL && r->aptpl && r->count > 0;
}

static bool keeps_the_same(const struct reservation *a, const struct reservation *b)
{
    if (!keeps(a) || !keeps(b))
        return keeps(a) == keeps(b);
    bool same = a->type == b->type && a->holder == b->holder && a->count == b->count;
    for (uint32_t i = 0; same && i < a->count; i++)
        same = a->members[i].key == b->members[i].key &&
               reservation_nexus_equals(&a->members[i].nexus, &b->members[i].nexus);
    return same;
}

/* ---- The draft -------------------------------------------------------------------- */

static void (*const changes[])(struct draft *d) = {
    [PR_REGISTER] = change_register,
    [PR_RESERVE] = change_reserve,
    [PR_RELEASE] = change_release,
    [PR_CLEAR] = change_clear,
    [PR_PREEMPT] = change_preempt,
    [PR_PREEMPT_AND_ABORT] = change_preempt,
    [PR_REGISTER_AND_IGNORE] = change_register,
    [PR_REGISTER_AND_MOVE] = change_move,
};

static bool is_registering(enum pr_out_action action)
{
    return action == PR_REGISTER || action == PR_REGISTER_AND_IGNORE;
}

/* How many more members a request may make. */
static size_t more_members(const struct reservation_request *request)
{
    struct transport_id id;
    size_t initiators = 1;
    for (size_t at = 0; pr_list_next_port(request->list, &at, &id);)
        initiators++;
    return initiators * (request->list->all_ports ? request->port_count + 1 : 1);
}

static int draft_begin(struct draft *d)
{
    const struct reservation *before = d->before;
    d->before_count = before == NULL ? 0 : before->count;
    d->self = reservation_find(before, d->who);
    d->room = d->before_count + more_members(d->request);
    if (d->room > REGISTRATION_COUNT_MAX)
        d->room = REGISTRATION_COUNT_MAX;
    d->after = reservation_new(d->room);
    d->out->told = calloc(d->before_count + 1, sizeof(*d->out->told));
    if (d->after == NULL || d->out->told == NULL)
        return -ENOMEM;
    d->after->count = d->before_count;
    if (before == NULL)
        return 0;
    d->after->generation = before->generation;
    d->after->aptpl = before->aptpl;
    d->after->type = before->type;
    d->after->holder = before->holder;
    memcpy(d->after->members, before->members,
           d->before_count * sizeof(before->members[0]));
    return 0;
}

static void draft_end(struct draft *d)
{
    struct reservation_outcome *out = d->out;
    if (!d->changes) {
        assert(!draft_is_good(d) || out->told_count == 0);
        out->told_count = 0;
        out->aborts = false;
        reservation_put(d->after);
        return;
    }
    out->takes_away = draft_takes_away(d);
    draft_seal(d);
    out->is_kept = !keeps_the_same(d->before, d->after);
    out->after = d->after;
}

static int apply_pr_out(struct draft *d)
{
    enum pr_out_action action = d->request->cdb->action;
    assert((size_t)action < ARRAY_LEN(changes));
    if (d->before != NULL && d->before->is_reserved) {
        d->out->status = SAM_RESERVATION_CONFLICT;
        return 0;
    }
    int rc = draft_begin(d);
    if (rc != 0) {
        reservation_put(d->after);
        return rc;
    }
    if (!is_registering(action) &&
        (asker_key(d) == 0 || asker_key(d) != d->request->list->key))
        draft_conflict(d);
    else
        changes[action](d);
    draft_end(d);
    return 0;
}

/* ---- RESERVE and RELEASE of SPC-2 ------------------------------------------------- */

/* Whoever a persistent reservation lets do all is told that it has what it asks for; all
 * others, that somebody is registered. SPC-4, 5.13.3. */
static enum sam_status status_beside_members(const struct reservation *r,
                                             const struct reservation_nexus *who)
{
    bool may = reservation_type_is_shared(r->type)
                   ? reservation_find(r, who) != RESERVATION_NOBODY
                   : reservation_is_held_by(r, who);
    return may ? SAM_GOOD : SAM_RESERVATION_CONFLICT;
}

static int apply_reserve(struct draft *d)
{
    const struct reservation *before = d->before;
    if (before != NULL && before->count > 0) {
        d->out->status = status_beside_members(before, d->who);
        return 0;
    }
    if (before != NULL && before->is_reserved) {
        if (!reservation_nexus_equals(&before->reserver, d->who))
            d->out->status = SAM_RESERVATION_CONFLICT;
        return 0;
    }
    struct reservation *after = reservation_new(0);
    struct reservation *empty = before == NULL ? reservation_new(0) : NULL;
    if (after == NULL || (before == NULL && empty == NULL)) {
        reservation_put(after);
        reservation_put(empty);
        return -ENOMEM;
    }
    if (empty != NULL)
        reservation_seal(empty, 0);
    after->without = before == NULL ? empty : reservation_get(before);
    after->generation = after->without->generation;
    after->aptpl = after->without->aptpl;
    after->is_reserved = true;
    after->reserver = *d->who;
    reservation_seal(after, 0);
    d->out->after = after;
    d->out->takes_away = true;
    return 0;
}

static void apply_release(struct draft *d, bool by_anybody)
{
    const struct reservation *r = d->before;
    if (r != NULL && r->is_reserved &&
        (by_anybody || reservation_nexus_equals(&r->reserver, d->who)))
        d->out->after = reservation_get(r->without);
}

/* ---- All of them ------------------------------------------------------------------ */

static int apply(struct draft *d)
{
    switch (d->request->change) {
    case RESERVATION_PR_OUT:
        return apply_pr_out(d);
    case RESERVATION_RESERVE:
        return apply_reserve(d);
    case RESERVATION_RELEASE:
        if (d->before != NULL && d->before->count > 0)
            d->out->status = status_beside_members(d->before, d->who);
        apply_release(d, false);
        return 0;
    case RESERVATION_NEXUS_END:
        apply_release(d, false);
        return 0;
    case RESERVATION_RESET:
        apply_release(d, true);
        return 0;
    }
    assert(false);
    return -EINVAL;
}

int reservation_apply(const struct reservation *before,
                      const struct reservation_request *request,
                      const struct reservation_nexus *who,
                      struct reservation_outcome *out)
{
    struct draft d = {.request = request, .who = who, .before = before, .out = out};
    *out = (struct reservation_outcome){.status = SAM_GOOD,
                                        .before = reservation_get(before)};
    int rc = apply(&d);
    if (rc != 0)
        reservation_outcome_fini(out);
    return rc;
}

void reservation_outcome_fini(struct reservation_outcome *out)
{
    reservation_put(out->before);
    reservation_put(out->after);
    free(out->told);
    *out = (struct reservation_outcome){.status = SAM_GOOD};
}

const struct reservation_told *reservation_told_of(const struct reservation_outcome *out,
                                                   const struct reservation_nexus *n)
{
    for (size_t i = 0; i < out->told_count; i++)
        if (reservation_nexus_equals(out->told[i].nexus, n))
            return &out->told[i];
    return NULL;
}
