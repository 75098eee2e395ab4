/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that watch events as they happen (server-sent events). Each has a place in the
 * ring and is given what comes after it, a portion at a time, so that a slow one costs no
 * memory but what its socket is given. Control thread. */
#ifndef WEB_WATCH_H
#define WEB_WATCH_H

#include "base/err.h"

#include <stdint.h>

struct event_base;
struct event_id;
struct exchange;
struct watches;
struct web;

int watches_create(struct web *web, struct event_base *base, struct watches **out,
                   struct err *e) MUST_CHECK;
/* After the last connection. NULL is allowed. */
void watches_destroy(struct watches *watches);

/* There are new events. NULL is allowed. */
void watches_wake(struct watches *watches);
/* A sign of life to everyone who may still watch; it comes by itself every
 * WEB_STREAM_BEAT_S. */
void watches_beat(struct watches *watches);
/* Gives everyone what there is and ends in order. */
void watches_end(struct watches *watches);
unsigned watches_count(const struct watches *watches);

/* Answers x with a stream of the events after id (NULL: from now on) that x's query
 * chooses, or with 503: there are WEB_STREAMS_MAX. */
void watch_begin(struct exchange *x, const struct event_id *after);

#endif
