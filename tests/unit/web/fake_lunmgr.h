/* SPDX-License-Identifier: Apache-2.0 */
/* A manager and a target without disks, catalog and reactors: what web asks of lunmgr and
 * target, answered from memory, in a later turn of the loop as the real ones do. Tests
 * may hold the answers back, make the next one fail, and put sessions there. */
#ifndef TESTS_UNIT_WEB_FAKE_LUNMGR_H
#define TESTS_UNIT_WEB_FAKE_LUNMGR_H

#include "lunmgr/host.h"
#include "lunmgr/job.h"
#include "lunmgr/lunmgr.h"
#include "lunmgr/news.h"
#include "lunmgr/pool.h"
#include "lunmgr/token.h"
#include "target/target.h"

#include <stdbool.h>

#define FAKE_GENERATION 7

struct lunmgr *fake_lunmgr_create(struct loop *loop);
/* All answers must have been given. */
void fake_lunmgr_destroy(struct lunmgr *m);

/* From now on answers wait; release gives those that wait, in order. */
void fake_hold(struct lunmgr *m);
void fake_release(struct lunmgr *m);
size_t fake_held(const struct lunmgr *m);
/* How a job stands: the members that change. outcome and error stay the caller's. */
void fake_job_set(struct lunmgr *m, const char *id, const struct job_info *info);
/* The next asynchronous call answers this; code 0 takes it back. */
void fake_fail_next(struct lunmgr *m, int code, const char *field, const char *text);

/* Lists of blocks come in so many slices and one more. */
void fake_diff_slices(struct lunmgr *m, unsigned slices);
/* How many lists there are; how many slices there were. */
unsigned fake_diffs(const struct lunmgr *m, unsigned *slices);

/* What web listens with. */
const struct lunmgr_news *fake_news(struct lunmgr *m);
/* state: a literal. */
void fake_mirror(struct lunmgr *m, const char *state, const char *reason);
const struct target_events *fake_target_events(struct target *t);

struct target *fake_target_create(struct lunmgr *m);
void fake_target_destroy(struct target *t);
void fake_target_add_session(struct target *t, uint64_t id, const char *initiator,
                             const char *host);
/* An initiator whose logins ended so. */
void fake_target_add_seen(struct target *t, const char *initiator, int64_t accepted_s,
                          uint64_t refusals);
void fake_target_set_portal(struct target *t, const char *portal);

#endif
