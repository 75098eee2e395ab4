/* SPDX-License-Identifier: Apache-2.0 */
/* A diff (lunmgr/diff.h) as an answer that goes on: a line of JSON for each range, and a
 * last one that says that it was all, or why not. The next slice is asked for when the
 * socket has room, so that a slow client costs a slice, and one that goes ends the walk.
 * Control thread. */
#ifndef WEB_FEED_H
#define WEB_FEED_H

#include "lunmgr/diff.h"

struct exchange;
struct web;

/* Whether one more may begin; else x->problem says why not. */
bool feeds_admit(struct exchange *x);
/* Answers x: with a problem until the first slice has come, then with the list. of is
 * borrowed for the call. */
void feed_begin(struct exchange *x, struct volume *of, const struct diff_spec *spec);
/* Those that are on their way end with an error. */
void feeds_end(struct web *web);
/* web stops, and has abandoned its exchanges: those whose answer has not begun. */
void feeds_end_all(struct web *web);

#endif
