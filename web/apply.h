/* SPDX-License-Identifier: Apache-2.0 */
/* A desired state and the way to it: for each resource that a document names what is
 * missing or other than it should be, first tried without doing it, then done in order of
 * what needs what. Each step is a request of its own (exchange_create_part) and so whole
 * or not at all; all together are not one transaction: what stops in the middle is
 * finished by applying the document again. Control thread. */
#ifndef WEB_APPLY_H
#define WEB_APPLY_H

#include "web/exchange.h"

#include <stddef.h>

#define APPLY_STEPS_MAX 1000 /* of one document */

struct apply;

/* Reads and plans what x->body says. NULL, and x->problem says why. */
struct apply *apply_create(struct exchange *x);
void apply_destroy(struct apply *a);
/* Goes all the way and calls done, later: x->problem says whether it worked. */
void apply_run(struct apply *a, void (*done)(struct exchange *x, struct apply *a));
/* What was (or, of a dry run, would be) done. NULL: out of memory. */
json_t *apply_json(const struct apply *a);

#endif
