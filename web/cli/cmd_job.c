/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl job, and waiting for the end of one. Single thread. */
#include "web/cli/args.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_MS_MIN 20
#define WAIT_MS_MAX 1000

static bool job_runs(const json_t *job)
{
    const char *state = json_string_value(json_object_get(job, "state"));
    return state != NULL && strcmp(state, "running") == 0;
}

static void sleep_ms(long ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static char *job_path(const json_t *job)
{
    const char *id = json_string_value(json_object_get(job, "id"));
    AUTO_FREE char *segment = cmd_escape(id == NULL ? "" : id);
    char *path = NULL;
    if (asprintf(&path, "%s/%s", resource_job.path, segment) < 0)
        path = must(NULL);
    return path;
}

static json_t *job_wait(const struct cmd *cmd, json_t *job, enum outcome *outcome)
{
    AUTO_FREE char *path = job_path(job);
    *outcome = OUTCOME_DONE;
    for (long ms = WAIT_MS_MIN; job != NULL && job_runs(job);
         ms = ms < WAIT_MS_MAX / 2 ? 2 * ms : WAIT_MS_MAX) {
        sleep_ms(ms);
        json_decref(job);
        job = cmd_ask(cmd, "GET", path, NULL, NULL, outcome);
    }
    return job;
}

json_t *job_begin(const struct cmd *cmd, const char *path, const json_t *body, bool waits,
                  enum outcome *outcome)
{
    const char *name = cmd->args->names[0];
    if (!waits)
        return cmd_call(cmd, "POST", path, body, &name, outcome);
    json_t *job = cmd_ask(cmd, "POST", path, body, name, outcome);
    return job == NULL ? NULL : job_wait(cmd, job, outcome);
}

enum outcome job_judge(const json_t *job, bool waits, const char *what, const char *name,
                       enum outcome outcome)
{
    const char *state = json_string_value(json_object_get(job, "state"));
    const char *error = json_string_value(json_object_get(job, "error"));
    if (!waits || (state != NULL && strcmp(state, "done") == 0))
        return outcome;
    return say(OUTCOME_REFUSED, "%s %s has %s%s%s", what, name,
               state == NULL ? "no state" : state, error == NULL ? "" : ": ",
               error == NULL ? "" : error);
}

static enum outcome job_cancel(const struct cmd *cmd)
{
    enum outcome outcome;
    const char *id = cmd->args->names[0];
    AUTO_FREE char *path = cmd_path(cmd, id, "/cancel");
    if (path == NULL)
        return OUTCOME_USAGE;
    json_t *job = cmd_fetch(cmd, "POST", path, id, &outcome);
    if (job != NULL)
        cmd_print(cmd, job);
    json_decref(job);
    return outcome;
}

const struct resource resource_job = {
    .name = "job",
    .summary = "Jobs: long work, how far it is and how it ended",
    .path = "/v1/jobs",
    .verbs =
        {
            {.name = "list", .summary = "Jobs, oldest first", .run = cmd_list},
            {.name = "show",
             .summary = "All about jobs",
             .names_usage = "ID...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = cmd_show},
            {.name = "cancel",
             .summary = "Ask a job to stop at its next step",
             .names_usage = "ID",
             .names_min = 1,
             .names_max = 1,
             .run = job_cancel},
        },
    .columns = {{"ID", "id", COLUMN_TEXT},
                {"KIND", "kind", COLUMN_TEXT},
                {"SUBJECT", "subject", COLUMN_TEXT},
                {"STATE", "state", COLUMN_TEXT},
                {"CREATED", "created", COLUMN_TEXT},
                {"ENDED", "ended", COLUMN_TEXT},
                {"SECONDS-LEFT", "estimate_seconds", COLUMN_COUNT}},
};
