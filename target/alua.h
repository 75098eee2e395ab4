/* SPDX-License-Identifier: Apache-2.0 */
/* Asymmetric access of target port groups (SPC-4, 5.15), implicit: an admin sets how
 * units are accessed through a portal group, initiators are told and go to another one.
 * Each reactor has all groups as they are at a moment, and changes them on a message. */
#ifndef TARGET_ALUA_H
#define TARGET_ALUA_H

#include "proto/port_groups.h"
#include "target/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alua_change;
struct alua_wait;
struct target;
struct task;

/* A change of state ends when the disk I/O of its group has, and that is failed after
 * 30 s unless it is configured otherwise. */
#define ALUA_TRANSITION_S 60

struct alua {
    struct port_group groups[TARGET_PORTAL_MAX]; /* in order of tag */
    size_t count;
};

/* NULL: there is no portal group of that tag. */
static inline const struct port_group *alua_group(const struct alua *alua, uint16_t tag)
{
    for (size_t i = 0; i < alua->count; i++) {
        if (alua->groups[i].tag == tag)
            return &alua->groups[i];
    }
    return NULL;
}

/* Control thread, before the reactors are: the groups of the portals as the catalog has
 * them. */
void alua_init(struct target *t);
/* The changes that are under way end without the target. */
void alua_fini(struct target *t);
/* Control thread: a change of that group is under way. */
bool alua_is_changing(const struct target *t, uint16_t tag);
/* Control thread, for lunmgr_events: every reactor learns of it, and it is settled when
 * no command that the new state does not take is with exec any more, and every nexus was
 * told. */
void alua_on_changed(void *target, uint16_t tag, const struct alua_access *access,
                     uint64_t ticket);

/* The reactor's thread: the task's end is waited for. */
void alua_await(struct alua_wait *wait, struct task *t);
/* It has ended, or never was waited for. */
void alua_on_task_end(struct task *t);

#endif
