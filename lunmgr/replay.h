/* SPDX-License-Identifier: Apache-2.0 */
/* What was asked for with an idempotency key, and what came of it: recorded with the
 * change (record.h), its answer stored after. Control thread. */
#ifndef LUNMGR_REPLAY_H
#define LUNMGR_REPLAY_H

#include "lunmgr/volume.h"

struct replay {
    uint8_t fingerprint[32]; /* of the request */
    char operation[48];
    char subject_id[VOLUME_ID_MAX]; /* what it made or changed */
    int status;                     /* that it was answered with; 0: not known */
    const char *body;               /* the answer's; NULL: none, or not known */
    int64_t created_s;
};

/* replay: borrowed for the call. Both NULL: the principal has not used the key, or so
 * long ago that it is forgotten. */
typedef void (*replay_done_fn)(void *arg, const struct replay *replay,
                               const struct err *e);
void replay_find(struct lunmgr *m, const char *principal, const char *key,
                 replay_done_fn done, void *arg);

/* Stores what the request was answered with; nobody is told when. A failure is logged:
 * the repetition then finds status 0. body: copied; NULL: none. */
void replay_answer(struct lunmgr *m, const char *principal, const char *key, int status,
                   const char *body);

#endif
