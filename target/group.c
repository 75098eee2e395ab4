/* SPDX-License-Identifier: Apache-2.0 */
/* Portal groups as web sees them, and whether an admin's change of one may begin: nobody
 * takes the last way to a disk away by mistake. Control thread. */
#include "lunmgr/port_group.h"
#include "target/address.h"
#include "target/target_private.h"

#include <errno.h>
#include <string.h>

#define INITIATOR_TOLD_MAX 100 /* bytes of its name in an error */

/* ---- what is told ---- */

static uint32_t group_count_sessions(const struct target *t, uint16_t tag)
{
    uint32_t count = 0;
    for (const struct registry_ticket *e = t->registry.first; e != NULL; e = e->next)
        count += !e->discovery && e->portal_group_tag == tag;
    return count;
}

/* Only this thread changes the advertised addresses: no lock to read them. */
static void group_list_addresses(const struct target *t, struct target_group_info *out)
{
    for (size_t i = 0; i < t->face_count; i++) {
        if (t->faces[i].tag == out->tag)
            out->portals[out->portal_count++] = t->faces[i].address;
    }
    for (size_t i = 0; i < t->advertise_count; i++) {
        struct address_tagged a;
        if (address_cut_tag(t->advertise[i], &a) == 0 &&
            (a.tag == 0 || a.tag == out->tag))
            out->advertised[out->advertised_count++] = t->advertise[i];
    }
}

bool target_group_next(const struct target *t, uint16_t after,
                       struct target_group_info *out)
{
    size_t i = 0;
    while (i < t->alua.count && t->alua.groups[i].tag <= after)
        i++;
    if (i == t->alua.count)
        return false;
    const struct port_group *group = &t->alua.groups[i];
    *out = (struct target_group_info){
        .tag = group->tag,
        .access = port_group_access(t->lunmgr, group->tag),
        .transitioning = group->access.state == ALUA_TRANSITIONING,
        .sessions = group_count_sessions(t, group->tag),
    };
    group_list_addresses(t, out);
    return true;
}

/* ---- what may be done ---- */

/* As it is set, or is about to be. */
static bool group_is_active(const struct target *t, uint16_t tag)
{
    struct alua_access access = port_group_access(t->lunmgr, tag);
    return alua_is_active(access.state);
}

static bool other_group_is_active(const struct target *t, uint16_t tag)
{
    for (size_t i = 0; i < t->alua.count; i++) {
        if (t->alua.groups[i].tag != tag && group_is_active(t, t->alua.groups[i].tag))
            return true;
    }
    return false;
}

static bool has_other_way(const struct target *t, const struct registry_ticket *of)
{
    for (const struct registry_ticket *e = t->registry.first; e != NULL; e = e->next) {
        if (e->portal_group_tag != of->portal_group_tag && !e->discovery &&
            strcmp(e->initiator, of->initiator) == 0 &&
            strcmp(e->target_name, of->target_name) == 0 &&
            group_is_active(t, e->portal_group_tag))
            return true;
    }
    return false;
}

/* A session whose initiator would be left with no way to its disks. NULL: none. */
static const struct registry_ticket *group_find_stranded(const struct target *t,
                                                         uint16_t tag)
{
    for (const struct registry_ticket *e = t->registry.first; e != NULL; e = e->next) {
        if (!e->discovery && e->portal_group_tag == tag && !has_other_way(t, e))
            return e;
    }
    return NULL;
}

static int group_check_last(const struct target *t, uint16_t tag, struct err *e)
{
    if (!other_group_is_active(t, tag))
        return err_set(
            e, -EBUSY, "state",
            "it is the last portal group that is active: no host could use its "
            "disks; force does it all the same");
    const struct registry_ticket *stranded = group_find_stranded(t, tag);
    if (stranded == NULL)
        return 0;
    return err_set(e, -EBUSY, "state",
                   "%.*s has no session through another portal group that is active, and "
                   "would lose its disks; force does it all the same",
                   INITIATOR_TOLD_MAX, stranded->initiator);
}

static int group_may_change(const struct target *t, uint16_t tag,
                            const struct alua_access *from, const struct alua_access *to,
                            bool force, struct err *e)
{
    if (alua_group(&t->alua, tag) == NULL)
        return err_set(e, -ENOENT, NULL, "no portal has the tag %u", tag);
    if (alua_is_changing(t, tag))
        return err_set(e, -EBUSY, "state", "another change of it is under way");
    bool leaves = alua_is_active(from->state) && !alua_is_active(to->state);
    return leaves && !force ? group_check_last(t, tag, e) : 0;
}

int target_group_change(struct target *t, uint16_t tag,
                        const struct target_group_change *change, target_group_fn done,
                        void *arg, struct err *e)
{
    struct alua_access from = port_group_access(t->lunmgr, tag);
    struct alua_access to = from;
    if (change->state != NULL)
        to.state = *change->state;
    if (change->preferred != NULL)
        to.preferred = *change->preferred;
    int rc = group_may_change(t, tag, &from, &to, change->force, e);
    if (rc == 0)
        port_group_set(t->lunmgr, tag, &to, done, arg);
    return rc;
}
