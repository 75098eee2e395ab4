/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: list, show, cancel; and the answer of whatever begins one. Control thread. */
#include "lunmgr/job.h"
#include "web/api.h"
#include "web/resource.h"

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

#define INFO(member) (((const struct job_info *)job)->member)

static json_t *known_json(int64_t value)
{
    return value < 0 ? json_null() : json_integer((json_int_t)value);
}

static json_t *progress_json(const struct web *web, const void *job)
{
    bool is_known = INFO(units_total) != 0 || INFO(ended_s) != 0;
    (void)web;
    return json_pack("{s:I, s:o, s:s}", "done", (json_int_t)INFO(units_done), "total",
                     is_known ? json_integer((json_int_t)INFO(units_total)) : json_null(),
                     "unit", INFO(unit));
}

static json_t *rate_json(const struct web *web, const void *job)
{
    (void)web;
    return known_json(INFO(rate));
}

static json_t *estimate_json(const struct web *web, const void *job)
{
    (void)web;
    return known_json(INFO(estimate_s));
}

static json_t *outcome_of(const struct web *web, const void *job)
{
    (void)web;
    return outcome_json(INFO(outcome));
}

static const char *kind_of(const void *job)
{
    return INFO(kind);
}

static const char *state_of(const void *job)
{
    return INFO(state);
}

static const char *error_of(const void *job)
{
    return INFO(error);
}

#define JOB(member) COLUMN_AT(struct job_info, member)

static const struct column columns[] = {
    {"id", COLUMN_TEXT, JOB(id)},
    {"kind", COLUMN_TEXT, .text = kind_of},
    {"subject", COLUMN_TEXT, JOB(subject)},
    {"subject_id", COLUMN_TEXT, JOB(subject_id)},
    {"state", COLUMN_TEXT, .text = state_of},
    {"created", COLUMN_TIME, JOB(created_s)},
    {"ended", COLUMN_TIME, JOB(ended_s), .nullable = true},
    {"cancel_requested", COLUMN_BOOL, JOB(cancel_asked)},
    {"progress", COLUMN_JSON, .render = progress_json},
    {"rate", COLUMN_JSON, .render = rate_json},
    {"estimate_seconds", COLUMN_JSON, .render = estimate_json},
    {"outcome", COLUMN_JSON, .render = outcome_of},
    {"error", COLUMN_TEXT, .text = error_of, .nullable = true},
    {.name = NULL},
};

/* ---- The resource ------------------------------------------------------------------ */

static void *job_of_id(const struct web *web, const char *id)
{
    return job_find(web->lunmgr, id);
}

/* There are never many: JOB_KEEP_COUNT and those that run. */
static void *job_of_walk(const struct web *web, struct row_walk *walk)
{
    struct job_info info;
    uint64_t after = strtoull(walk->after, NULL, 10);
    struct job *job = job_next(web->lunmgr, NULL);
    for (; job != NULL; job = job_next(web->lunmgr, job)) {
        job_describe(job, &info);
        if (info.no > after)
            break;
    }
    return job;
}

static void job_fill(const struct web *web, const void *job, void *info)
{
    (void)web;
    job_describe(job, info);
}

static void job_key(const void *job, const void *info, char key[WEB_AFTER_MAX])
{
    (void)job;
    number_key(key, ((const struct job_info *)info)->no);
}

const struct resource resource_job = {
    .kind = "job",
    .collection = "/v1/jobs",
    .info_bytes = sizeof(struct job_info),
    .columns = columns,
    .find = job_of_id,
    .next = job_of_walk,
    .describe = job_fill,
    .key = job_key,
};

/* ---- Routes ------------------------------------------------------------------------ */

void reply_job(void *exchange, struct job *job, const struct err *e)
{
    struct exchange *x = exchange;
    if (exchange_resume(x, e))
        reply_resource(x, 202, &resource_job, job);
}

void api_job_cancel(struct exchange *x)
{
    job_cancel(x->web->lunmgr, x->params[0], reply_job, x);
}
