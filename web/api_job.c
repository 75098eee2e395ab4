/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: list, show, cancel; and the answer of whatever begins one. Control thread. */
#include "lunmgr/job.h"
#include "web/api.h"
#include "web/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIGURE_MAX 96 /* of a line of an outcome, with NUL */

/* ---- As JSON ----------------------------------------------------------------------- */

/* "yes", "no", or a decimal number. */
static json_t *figure_json(const char *value)
{
    if (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)
        return json_boolean(value[0] == 'y');
    return json_integer((json_int_t)strtoull(value, NULL, 10));
}

/* A line NAME=VALUE. False: out of memory. */
static bool figure_add(json_t *out, const char *line, size_t length)
{
    char text[FIGURE_MAX];
    snprintf(text, sizeof(text), "%.*s", (int)length, line);
    char *value = strchr(text, '=');
    if (value == NULL)
        return true;
    *value = '\0';
    return json_object_set_new(out, text, figure_json(value + 1)) == 0;
}

/* NULL: out of memory. */
static json_t *outcome_json(const char *lines)
{
    if (lines[0] == '\0')
        return json_null();
    json_t *out = json_object();
    while (out != NULL && *lines != '\0') {
        size_t length = strcspn(lines, "\n");
        if (!figure_add(out, lines, length)) {
            json_decref(out);
            return NULL;
        }
        lines += length + (lines[length] == '\n');
    }
    return out;
}

static json_t *known_json(int64_t value)
{
    return value < 0 ? json_null() : json_integer((json_int_t)value);
}

static json_t *progress_json(const struct job_info *info)
{
    return json_pack("{s:I, s:o, s:s}", "done", (json_int_t)info->units_done, "total",
                     info->units_total == 0 && info->ended_s == 0
                         ? json_null()
                         : json_integer((json_int_t)info->units_total),
                     "unit", info->unit);
}

static json_t *job_json(const struct job *job)
{
    struct job_info info;
    char created[TIME_TEXT_MAX], ended[TIME_TEXT_MAX];
    job_describe(job, &info);
    time_text(ended, info.ended_s);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:b, s:o, s:o, s:o, s:o, s:s?}", "id",
        info.id, "kind", info.kind, "subject", info.subject, "subject_id",
        info.subject_id, "state", info.state, "created",
        time_text(created, info.created_s), "ended", info.ended_s == 0 ? NULL : ended,
        "cancel_requested", info.cancel_asked, "progress", progress_json(&info), "rate",
        known_json(info.rate), "estimate_seconds", known_json(info.estimate_s), "outcome",
        outcome_json(info.outcome), "error", text_or_null(info.error));
}

/* ---- Routes ------------------------------------------------------------------------ */

void api_job_list(struct exchange *x)
{
    struct page page;
    struct lunmgr *m = x->web->lunmgr;
    enum page_step step = PAGE_SKIP;
    page_begin(&page, x);
    for (struct job *job = job_next(m, NULL); job != NULL && step != PAGE_STOP;
         job = job_next(m, job)) {
        struct job_info info;
        char key[24]; /* as long as the longest, so that text sorts as numbers do */
        job_describe(job, &info);
        snprintf(key, sizeof(key), "%020" PRIu64, info.no);
        step = page_step(&page, key);
        if (step == PAGE_TAKE)
            page_add(&page, job_json(job));
    }
    page_reply(&page, x);
}

void api_job_show(struct exchange *x)
{
    const struct job *job = job_find(x->web->lunmgr, x->params[0]);
    if (job == NULL)
        reply_not_found(x, "job", x->params[0]);
    else
        reply_json(x, 200, job_json(job));
}

void reply_job(void *exchange, struct job *job, const struct err *e)
{
    struct exchange *x = exchange;
    struct job_info info;
    if (!exchange_is_live(x))
        return;
    if (e != NULL) {
        reply_err(x, e);
        return;
    }
    job_describe(job, &info);
    reply_accepted(x, "/v1/jobs", info.id, job_json(job));
}

void api_job_cancel(struct exchange *x)
{
    job_cancel(x->web->lunmgr, x->params[0], reply_job, x);
}
