/* SPDX-License-Identifier: Apache-2.0 */
/* Events of what happens below the API by itself, and of who is refused at its door;
 * those that outsiders can cause go through dampers. Control thread. */
#ifndef WEB_NEWS_H
#define WEB_NEWS_H

#include "base/err.h"

struct event_base;
struct exchange;
struct news;
struct web;

/* Listens to lunmgr and the target, and says that the daemon has started. */
int news_create(struct web *web, struct event_base *base, struct news **out,
                struct err *e) MUST_CHECK;
/* Listens no more. NULL is allowed. */
void news_destroy(struct news *news);

/* The daemon stops: says so, after what is untold. */
void news_stopping(struct news *news);
/* x is answered 401. */
void news_client_refused(const struct exchange *x);

#endif
