/* SPDX-License-Identifier: Apache-2.0 */
/* Creates, changes and ends an I_T nexus. No I/O; the session's reactor alone. */
#include "target/nexus.h"

#include "target/unit.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

int nexus_create(const struct nexus_spec *spec, const struct view *view,
                 struct nexus **out)
{
    size_t bytes = strlen(spec->initiator) + 1;
    struct nexus *n = calloc(1, sizeof(*n));
    if (n == NULL)
        return -ENOMEM;
    assert(bytes <= sizeof(n->initiator));
    memcpy(n->initiator, spec->initiator, bytes);
    memcpy(n->isid, spec->isid, sizeof(n->isid));
    reservation_nexus_init(&n->id, spec->initiator, spec->isid, spec->target_name,
                           spec->portal_group_tag);
    n->reactor = spec->reactor;
    n->target_name = spec->target_name;
    n->portal_group_tag = spec->portal_group_tag;
    n->tmfs = spec->tmfs;
    n->port_tags = spec->port_tags;
    n->port_count = spec->port_count;
    n->alua = spec->alua;
    n->path = alua_group(spec->alua, spec->portal_group_tag);
    assert(n->path != NULL);
    n->view = view;
    ua_init(&n->ua);
    ua_set_view(&n->ua, view);
    *out = n;
    return 0;
}

void nexus_destroy(struct nexus *n)
{
    if (n == NULL)
        return;
    ua_fini(&n->ua);
    copy_book_fini(&n->copies);
    free(n);
}

const struct reservation_nexus *nexus_id(const struct nexus *n)
{
    return &n->id;
}

const struct view *nexus_view(const struct nexus *n)
{
    return n->view;
}

void nexus_set_view(struct nexus *n, const struct view *view)
{
    ua_set_view(&n->ua, view);
    n->view = view;
}

static const enum ua_kind ua_kind_of[] = {
    [NEXUS_LU_RESET] = UA_LU_RESET,
    [NEXUS_TARGET_RESET] = UA_POWER_ON,
    [NEXUS_TASKS_CLEARED] = UA_CLEARED,
    [NEXUS_RESIZED] = UA_CAPACITY_CHANGED,
    [NEXUS_REPLACED] = UA_MEDIUM_CHANGED,
    [NEXUS_LOST] = UA_NEXUS_LOST,
    [NEXUS_RESERVATIONS_PREEMPTED] = UA_RESERVATIONS_PREEMPTED,
    [NEXUS_REGISTRATIONS_PREEMPTED] = UA_REGISTRATIONS_PREEMPTED,
    [NEXUS_RESERVATIONS_RELEASED] = UA_RESERVATIONS_RELEASED,
    [NEXUS_ACCESS_CHANGED] = UA_ACCESS_CHANGED,
};

void nexus_notice(struct nexus *n, const struct volume *volume, enum nexus_event event)
{
    assert((size_t)event < ARRAY_LEN(ua_kind_of));
    size_t count = n->view != NULL ? n->view->lu_count : 0;
    bool resets = event == NEXUS_LU_RESET || event == NEXUS_TARGET_RESET;
    for (size_t i = 0; i < count; i++) {
        const struct lu *lu = &n->view->lus[i];
        if (volume != NULL && lu->volume != volume)
            continue;
        ua_raise(&n->ua, lu, ua_kind_of[event]);
        if (resets || event == NEXUS_LOST) /* SPC-4, 5.17.4 */
            copy_book_forget(&n->copies, lu->lun);
        if (resets) /* SAM-5, 6.3.3 */
            ua_saw_modes(&n->ua, lu, unit_reset_modes(lu->unit));
    }
}

enum sense_code nexus_attention(struct nexus *n, const struct lu *lu, bool *more)
{
    return ua_peek(&n->ua, lu, more);
}
