/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps a set of pending kinds beside each logical unit of a session's view. No I/O, no
 * lock: a session's reactor alone. */
#include "target/ua.h"

#include "target/unit.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static const enum sense_code ua_codes[UA_KIND_COUNT] = {
    [UA_POWER_ON] = SENSE_POWER_ON,
    [UA_LU_RESET] = SENSE_LU_RESET,
    [UA_NEXUS_LOST] = SENSE_NEXUS_LOSS,
    [UA_CLEARED] = SENSE_TASKS_CLEARED,
    [UA_RESERVATIONS_PREEMPTED] = SENSE_RESERVATIONS_PREEMPTED,
    [UA_REGISTRATIONS_PREEMPTED] = SENSE_REGISTRATIONS_PREEMPTED,
    [UA_RESERVATIONS_RELEASED] = SENSE_RESERVATIONS_RELEASED,
    [UA_MEDIUM_CHANGED] = SENSE_MEDIUM_CHANGED,
    [UA_CAPACITY_CHANGED] = SENSE_CAPACITY_CHANGED,
    [UA_ACCESS_CHANGED] = SENSE_ACCESS_CHANGED,
    [UA_MODE_CHANGED] = SENSE_MODE_CHANGED,
    [UA_THRESHOLD] = SENSE_THRESHOLD_REACHED,
    [UA_LUNS_CHANGED] = SENSE_LUNS_CHANGED,
};

static_assert(UA_KIND_COUNT <= 16, "a slot has a bit for each");

static uint16_t ua_bit(enum ua_kind kind)
{
    assert(kind < UA_KIND_COUNT);
    return (uint16_t)(1U << kind);
}

void ua_init(struct ua *ua)
{
    *ua = (struct ua){0};
}

void ua_fini(struct ua *ua)
{
    free(ua->slots);
    *ua = (struct ua){0};
}

static struct ua_slot *ua_slot(struct ua *ua, const struct lu *lu)
{
    if (ua->slots == NULL)
        return &ua->shared;
    assert(ua->view != NULL);
    size_t index = (size_t)(lu - ua->view->lus);
    assert(index < ua->view->lu_count);
    return &ua->slots[index];
}

/* What a unit of the new view begins with. */
static struct ua_slot ua_first(struct ua *old, const struct lu *lu)
{
    if (view_keeps(old->view, lu))
        return *ua_slot(old, view_lu(old->view, lu->lun));
    return (struct ua_slot){.bits = ua_bit(UA_POWER_ON),
                            .modes = unit_modes(lu->unit),
                            .reached = unit_reached(lu->unit)};
}

void ua_set_view(struct ua *ua, const struct view *view)
{
    struct ua now = {.view = view, .shared = ua->shared};
    size_t count = view != NULL ? view->lu_count : 0;
    bool tell = ua->view != NULL && view_differs(ua->view, view);
    now.slots = calloc(count + 1, sizeof(*now.slots));
    for (size_t i = 0; i < count; i++) {
        struct ua_slot *slot = ua_slot(&now, &view->lus[i]);
        struct ua_slot first = ua_first(ua, &view->lus[i]);
        first.bits |= slot->bits;
        *slot = first;
    }
    if (tell)
        ua_raise_all(&now, UA_LUNS_CHANGED);
    free(ua->slots);
    *ua = now;
}

void ua_raise(struct ua *ua, const struct lu *lu, enum ua_kind kind)
{
    ua_slot(ua, lu)->bits |= ua_bit(kind);
}

void ua_raise_all(struct ua *ua, enum ua_kind kind)
{
    size_t count = ua->view != NULL ? ua->view->lu_count : 0;
    for (size_t i = 0; i < count; i++)
        ua_raise(ua, &ua->view->lus[i], kind);
}

/* Another nexus, on any reactor, may have changed the modes. */
static void ua_look_at_modes(struct ua *ua, const struct lu *lu)
{
    unsigned modes = unit_modes(lu->unit);
    struct ua_slot *slot = ua_slot(ua, lu);
    if (slot->modes == modes || ua->slots == NULL)
        return;
    slot->modes = modes;
    slot->bits |= ua_bit(UA_MODE_CHANGED);
}

/* The space of the unit has come to a threshold: the control thread has seen it. */
static void ua_look_at_reached(struct ua *ua, const struct lu *lu)
{
    unsigned reached = unit_reached(lu->unit);
    struct ua_slot *slot = ua_slot(ua, lu);
    if (slot->reached == reached || ua->slots == NULL)
        return;
    slot->reached = reached;
    if (unit_tells_reached(lu->unit, reached))
        slot->bits |= ua_bit(UA_THRESHOLD);
}

enum sense_code ua_peek(struct ua *ua, const struct lu *lu, bool *more)
{
    const struct ua_slot *slot = ua_slot(ua, lu);
    ua_look_at_modes(ua, lu);
    ua_look_at_reached(ua, lu);
    *more = (slot->bits & (slot->bits - 1)) != 0;
    return slot->bits == 0 ? SENSE_NONE : ua_codes[__builtin_ctz(slot->bits)];
}

bool ua_take(struct ua *ua, const struct lu *lu, enum sense_code *code)
{
    bool more;
    struct ua_slot *slot = ua_slot(ua, lu);
    enum sense_code first = ua_peek(ua, lu, &more);
    if (first == SENSE_NONE)
        return false;
    *code = first;
    slot->bits = (uint16_t)(slot->bits & (slot->bits - 1));
    return true;
}

void ua_sense(const struct lu *lu, enum sense_code code, struct sense *sense)
{
    unsigned index = unit_reached(lu->unit) & UNIT_REACHED_INDEX;
    if (code == SENSE_THRESHOLD_REACHED)
        (void)sense_set_info(sense, code, mode_threshold_offset(index));
    else
        (void)sense_set(sense, code);
}

void ua_saw_modes(struct ua *ua, const struct lu *lu, unsigned modes)
{
    ua_slot(ua, lu)->modes = modes;
}

void ua_luns_were_reported(struct ua *ua)
{
    size_t count = ua->view != NULL ? ua->view->lu_count : 0;
    uint16_t keep = (uint16_t)~ua_bit(UA_LUNS_CHANGED);
    for (size_t i = 0; i < count; i++)
        ua_slot(ua, &ua->view->lus[i])->bits &= keep;
}
