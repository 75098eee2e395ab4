/* SPDX-License-Identifier: Apache-2.0 */
/* A walk through every operation of the API: each is asked wrongly in the ways that it
 * documents, then rightly, and each answer is held against the document. The same walk
 * goes over the fake manager (unit) and over a running daemon (end to end). */
#ifndef TESTS_UNIT_WEB_WALK_H
#define TESTS_UNIT_WEB_WALK_H

#include "document.h"

#define WALK_SEEN_MAX 2400
#define WALK_NOTES    7

struct walk {
    const json_t *document;
    struct client *local; /* open, on the Unix socket */
    struct client *tcp;   /* open, without a token */
    const char *dir;      /* where a pool's file may be made; absolute */
    const char *session;  /* the id of a session that may be ended */
    /* Makes the next change fail with this errno; NULL: cannot. */
    void (*fail_next)(void *arg, int code);
    void *arg;
    /* own */
    char read_token[64], attach_token[64];
    struct answer answer;
    char notes[WALK_NOTES][64]; /* ids of what was made last */
    char seen[WALK_SEEN_MAX][96];
    size_t seen_count;
    char why[WHY_MAX + 256]; /* if it fails */
};

/* False: see why. */
bool walk_run(struct walk *w);
/* After walk_run: guesses tokens on tcp until its address is locked out; then every
 * operation that wants a token is refused with 429 there. */
bool walk_guessing(struct walk *w);
/* After walk_run, with a daemon that is stopping: every change is refused with 503. */
bool walk_draining(struct walk *w);
/* False if a documented status was never seen, save those of the list, up to NULL: a
 * status ("503") or an answer ("DELETE /v1/trash/{trashed} 409"). */
bool walk_saw_all(struct walk *w, const char *const *save);

#endif
