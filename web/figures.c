/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of names. Latencies are counted in fine buckets; a session shows those that have
 * something, the metrics add them up to powers of two. */
#include "web/figures.h"

#include "base/auto.h"
#include "base/buckets.h"
#include "web/metrics.h"

#include <inttypes.h>

#define METRIC_POWER_MIN 5 /* the first bound: 32 microseconds */

static const struct {
    enum target_figure figure;
    const char *member; /* of a session's counters; NULL: it stands outside of them */
    const char *metric, *help;
} counters[] = {
    {FIGURE_COMMANDS, NULL, "ashlar_scsi_commands_total", "SCSI commands that came."},
    {FIGURE_ERRORS, NULL, "ashlar_scsi_errors_total",
     "SCSI commands answered with another status than GOOD."},
    {FIGURE_READ_BYTES, NULL, "ashlar_read_bytes_total", "Bytes read by initiators."},
    {FIGURE_WRITTEN_BYTES, NULL, "ashlar_written_bytes_total",
     "Bytes written by initiators."},
    {FIGURE_ATTENTIONS, "unit_attentions", "ashlar_unit_attentions_total",
     "SCSI commands answered with a unit attention."},
    {FIGURE_BUSY, "busy", "ashlar_scsi_busy_total", "SCSI commands answered BUSY."},
    {FIGURE_TASK_SET_FULL, "task_set_full", "ashlar_scsi_task_set_full_total",
     "SCSI commands answered TASK SET FULL."},
    {FIGURE_R2TS, "r2ts", "ashlar_r2ts_total", "R2Ts sent."},
    {FIGURE_REJECTS, "rejects", "ashlar_rejects_total", "Reject PDUs sent."},
    {FIGURE_HEADER_DIGEST_ERRORS, "header_digest_errors",
     "ashlar_header_digest_errors_total", "PDUs with a wrong header digest."},
    {FIGURE_DATA_DIGEST_ERRORS, "data_digest_errors", "ashlar_data_digest_errors_total",
     "PDUs with a wrong data digest."},
    {FIGURE_PINGS_RECEIVED, "pings_received", "ashlar_pings_received_total",
     "NOP-Outs that want an answer."},
    {FIGURE_PINGS_SENT, "pings_sent", "ashlar_pings_sent_total",
     "NOP-Ins that want an answer."},
};

/* By the function's number: RFC 7143, 11.5.1; RFC 7144. */
static const char *const functions[FIGURE_FUNCTIONS] = {
    [0] = "unknown",
    [1] = "abort_task",
    [2] = "abort_task_set",
    [3] = "clear_aca",
    [4] = "clear_task_set",
    [5] = "logical_unit_reset",
    [6] = "target_warm_reset",
    [7] = "target_cold_reset",
    [8] = "task_reassign",
    [9] = "query_task",
    [10] = "query_task_set",
    [11] = "i_t_nexus_reset",
    [12] = "query_asynchronous_event",
};

static const char *const kinds[LATENCY_KINDS] = {
    [LATENCY_READ] = "read",
    [LATENCY_WRITE] = "write",
    [LATENCY_OTHER] = "other",
};

/* ---- of one session, as JSON ---- */

static void put_integer(json_t *object, const char *member, uint64_t value)
{
    (void)json_object_set_new(object, member, json_integer((json_int_t)value));
}

json_t *figures_counters_json(const struct target_session_info *s)
{
    json_t *object = json_object(), *management = json_object();
    for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
        if (counters[i].member != NULL)
            put_integer(object, counters[i].member, s->figures[counters[i].figure]);
    }
    for (size_t i = 0; i < FIGURE_FUNCTIONS; i++)
        put_integer(management, functions[i], s->figures[FIGURE_TMF + i]);
    (void)json_object_set_new(object, "task_management", management);
    return object;
}

/* "bound": how many took less microseconds than that, and at least as many as the bound
 * before says. */
static json_t *buckets_json(const struct target_latency *l)
{
    json_t *object = json_object();
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        char bound[24];
        snprintf(bound, sizeof(bound), "%" PRIu64, bucket_end(i, LATENCY_STEP_BITS));
        if (l->buckets[i] > 0)
            put_integer(object, bound, l->buckets[i]);
    }
    return object;
}

static uint64_t latency_at(const struct target_latency *l, double part)
{
    uint64_t at = buckets_at(l->buckets, LATENCY_BUCKETS, LATENCY_STEP_BITS, part);
    return at < l->max_us ? at : l->max_us;
}

static json_t *latency_json(const struct target_latency *l)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "count",
                     (json_int_t)buckets_sum(l->buckets, LATENCY_BUCKETS), "p50_us",
                     (json_int_t)latency_at(l, 0.5), "p99_us",
                     (json_int_t)latency_at(l, 0.99), "p999_us",
                     (json_int_t)latency_at(l, 0.999), "max_us", (json_int_t)l->max_us,
                     "buckets", buckets_json(l));
}

json_t *figures_latency_json(const struct target_session_info *s)
{
    json_t *object = json_object();
    for (size_t i = 0; i < LATENCY_KINDS; i++)
        (void)json_object_set_new(object, kinds[i], latency_json(&s->latency[i]));
    return object;
}

/* ---- of all, as metrics ---- */

/* A power of two is where a bucket ends. */
static void put_latency(FILE *out, const char *name, const char *kind,
                        const uint64_t *buckets, uint64_t sum_us)
{
    uint64_t seen = 0;
    unsigned power = METRIC_POWER_MIN;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        uint64_t end = bucket_end(i, LATENCY_STEP_BITS);
        seen += buckets[i];
        if (end != 1ULL << power || i + 1 == LATENCY_BUCKETS)
            continue;
        fprintf(out,
                "%s_bucket{op=\"%s\",le=\"%" PRIu64 ".%06" PRIu64 "\"} %" PRIu64 "\n",
                name, kind, end / 1000000, end % 1000000, seen);
        power++;
    }
    fprintf(out, "%s_bucket{op=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name, kind, seen);
    fprintf(out, "%s_sum{op=\"%s\"} %" PRIu64 ".%06" PRIu64 "\n", name, kind,
            sum_us / 1000000, sum_us % 1000000);
    fprintf(out, "%s_count{op=\"%s\"} %" PRIu64 "\n", name, kind, seen);
}

void figures_put(FILE *out, const struct target_counters *c)
{
    static const char tmf[] = "ashlar_task_management_total";
    static const char latency[] = "ashlar_scsi_command_seconds";
    for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
        metric_head(out, counters[i].metric, "counter", counters[i].help);
        fprintf(out, "%s %" PRIu64 "\n", counters[i].metric,
                c->figures[counters[i].figure]);
    }
    metric_head(out, tmf, "counter", "Task management functions that came.");
    for (size_t i = 0; i < FIGURE_FUNCTIONS; i++)
        fprintf(out, "%s{function=\"%s\"} %" PRIu64 "\n", tmf, functions[i],
                c->figures[FIGURE_TMF + i]);
    metric_head(out, latency, "histogram", "From a command's arrival to its answer.");
    for (size_t i = 0; i < LATENCY_KINDS; i++)
        put_latency(out, latency, kinds[i], c->latency[i], c->latency_us[i]);
}
