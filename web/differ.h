/* SPDX-License-Identifier: Apache-2.0 */
/* What a request would change: the members of its body that are not so already. For dry
 * runs, for PUT, for apply. Control thread. */
#ifndef WEB_DIFFER_H
#define WEB_DIFFER_H

#include "web/exchange.h"
#include "web/resource.h"

/* [{"pointer", "from", "to"}] of each member of body that says another thing of object
 * (NULL: there is none yet) than is so. A secret is told as "(secret)". NULL: no memory.
 */
json_t *differences(const struct web *web, const struct resource *resource,
                    const void *object, const json_t *body);

/* Before a dry run's handler, which wipes secrets out of the body: notes in x->answer
 * what a change of what is there would make of it. */
void dry_run_look(struct exchange *x);
/* Ends x, a dry run that found nothing to refuse: what it would have done. */
void reply_dry_run(struct exchange *x);

#endif
