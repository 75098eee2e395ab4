/* SPDX-License-Identifier: Apache-2.0 */
/* The target's insides, for the files of this folder: what all reactors share. Written by
 * the control thread before the reactors run, save where said otherwise. */
#ifndef TARGET_TARGET_PRIVATE_H
#define TARGET_TARGET_PRIVATE_H

#include "target/admission.h"
#include "target/alua.h"
#include "target/drain.h"
#include "target/limit.h"
#include "target/portal.h"
#include "target/refusal.h"
#include "target/registry.h"
#include "target/seen.h"
#include "target/target.h"
#include "target/threshold.h"

#include <pthread.h>
#include <stdatomic.h>

struct access;
struct loop;
struct reactor;
struct stopping;

#define PORTAL_GROUP_TAG 1 /* of a portal that names none */

struct target {
    struct lunmgr *lunmgr;
    struct loop *control;
    char name[TARGET_NAME_MAX];
    struct target_keepalive keepalive;
    unsigned reactor_count;
    struct reactor *reactors[TARGET_REACTOR_MAX];

    /* Written before the first connection. */
    struct portal_face faces[TARGET_PORTAL_MAX];
    size_t face_count;
    uint16_t group_tags[TARGET_PORTAL_MAX]; /* of the faces, each once, ascending */
    size_t group_count;

    /* Any thread. */
    struct limits limits;
    struct admission admission;
    struct refusals refusals;
    pthread_mutex_t advertise_lock;
    char **advertise; /* under advertise_lock */
    size_t advertise_count;
    struct drain_list drains;

    /* Control thread. */
    struct portal *portals[TARGET_PORTAL_MAX];
    size_t portal_count;
    unsigned next_reactor;
    struct registry registry;
    struct access *access;
    struct alua alua; /* as set; transitioning while a change is under way */
    struct alua_change *alua_changes;
    struct seen seen;
    struct target_events events;
    struct thresholds *thresholds;
    struct stopping *stopping;
    bool stopped; /* and nothing is left */
};

#endif
