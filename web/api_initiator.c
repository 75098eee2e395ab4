/* SPDX-License-Identifier: Apache-2.0 */
/* Initiators whose logins were refused, and why. List. Control thread. */
#include "target/target.h"
#include "web/api.h"
#include "web/page.h"

#include <inttypes.h>
#include <stdio.h>

static json_t *seen_json(const struct target *t, const struct target_seen *seen)
{
    char status[8], when[TIME_TEXT_MAX];
    snprintf(status, sizeof(status), "%04x", (unsigned)seen->status);
    return json_pack("{s:o, s:s, s:s?, s:I, s:s, s:s, s:s}", "initiator",
                     json_of_foreign_text(seen->initiator), "address", seen->address,
                     "host", target_seen_host(t, seen), "count",
                     (json_int_t)seen->refusals, "last", time_text(when, seen->refused_s),
                     "status", status, "reason", seen->reason);
}

void api_initiator_seen(struct exchange *x)
{
    struct page page;
    const struct target *t = x->web->target;
    enum page_step step = PAGE_SKIP;
    page_begin(&page, x);
    for (const struct target_seen *seen = target_seen_next(t, NULL);
         seen != NULL && step != PAGE_STOP; seen = target_seen_next(t, seen)) {
        char key[24]; /* as long as the longest, so that text sorts as numbers do */
        if (seen->refusals == 0)
            continue;
        snprintf(key, sizeof(key), "%020" PRIu64, seen->id);
        step = page_step(&page, key);
        if (step == PAGE_TAKE)
            page_add(&page, seen_json(t, seen));
    }
    page_reply(&page, x);
}
