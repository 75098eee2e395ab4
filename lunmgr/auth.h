/* SPDX-License-Identifier: Apache-2.0 */
/* Changing CHAP credentials (base/auth.h), and those of the box itself: what a discovery
 * session must prove, and whether MD5 is taken at all. Control thread. */
#ifndef LUNMGR_AUTH_H
#define LUNMGR_AUTH_H

#include "base/auth.h"
#include "base/err.h"
#include "lunmgr/volume.h"

/* What is NULL stays as it is; with method all credentials go first. */
struct auth_change {
    const char *const *addresses; /* ranges, in the place of all before */
    size_t address_count;         /* 0 to CIDR_LIST_MAX */
    const bool *chap;             /* the method: CHAP, or none */
    const bool *forbid_md5;
    const char *user, *secret;
    const char *mutual_user, *mutual_secret;
};

/* Changes *auth and raises its revision, or says what is wrong: the field stands below
 * `at`, or is addresses or one of them. 0, or -EINVAL and *auth is to be thrown away. */
int auth_apply(struct auth *auth, const struct auth_change *change, const char *at,
               struct err *e) MUST_CHECK;

/* Of discovery; forbid_md5 in it is that of the whole box. Borrowed until it changes. */
const struct auth *auth_box(const struct lunmgr *m);
/* Answered when durable and seen by every reactor. -ECANCELED while another change is
 * under way: to be tried again. */
void auth_box_change(struct lunmgr *m, const struct auth_change *change, done_fn done,
                     void *arg);

#endif
