/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: a page of it, as text that the hashes can be made from again. It is read
 * by the catalog's readers. Control thread. */
#include "lunmgr/audit.h"
#include "web/api.h"
#include "web/json_out.h"
#include "web/path.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MS_PER_S 1000

/* RFC 3339 with milliseconds. */
static const char *ms_text(char out[TIME_TEXT_MAX], int64_t ms)
{
    char seconds[TIME_TEXT_MAX];
    int length = (int)strcspn(time_text(seconds, ms / MS_PER_S), "Z");
    snprintf(out, TIME_TEXT_MAX, "%.*s.%03dZ", length, seconds, (int)(ms % MS_PER_S));
    return out;
}

static json_t *entry_json(const struct audit_entry *entry)
{
    char when[TIME_TEXT_MAX], hash[DIGEST_TEXT];
    const struct audit_fields *f = &entry->fields;
    return json_pack("{s:I, s:s, s:s, s:s?, s:s, s:s?, s:s?, s:s?, s:s}", "seq",
                     (json_int_t)f->seq, "time", ms_text(when, f->time_ms), "who", f->who,
                     "from", text_or_null(f->from), "operation", f->operation, "subject",
                     text_or_null(f->subject), "subject_id", text_or_null(f->subject_id),
                     "request", text_or_null(f->request), "hash",
                     digest_text(entry->hash, hash));
}

/* A full page may be the last: then the next one is empty. */
static void audit_on_listed(void *arg, const struct audit_entry *entries, size_t count,
                            const struct err *e)
{
    struct exchange *x = arg;
    char next[24];
    if (!exchange_is_live(x))
        return;
    if (e != NULL) {
        reply_err(x, e);
        return;
    }
    json_t *items = json_array();
    for (size_t i = 0; items != NULL && i < count; i++) {
        if (json_array_append_new(items, entry_json(&entries[i])) != 0)
            json_decref(TAKE(items));
    }
    snprintf(next, sizeof(next), "%" PRIu64,
             count == 0 ? 0 : entries[count - 1].fields.seq);
    reply_json(x, 200,
               json_pack("{s:o, s:s?}", "items", items, "next",
                         count == x->query.limit ? next : NULL));
}

void api_audit_list(struct exchange *x)
{
    uint64_t after = 0;
    if (x->query.after[0] != '\0' && !path_number(x->query.after, &after)) {
        problem_set(&x->problem, PROBLEM_BAD_PARAMETER, "it is no entry's number");
        snprintf(x->problem.parameter, sizeof(x->problem.parameter), "after");
        problem_accepts(&x->problem, "what next said");
        reply_problem(x);
        return;
    }
    audit_list(x->web->lunmgr, after, x->query.limit, audit_on_listed, x);
}
