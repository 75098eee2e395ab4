/* SPDX-License-Identifier: Apache-2.0 */
/* A timer and a job of the catalog's writer. */
#include "lunmgr/outdate.h"

#include "base/clock.h"
#include "base/log.h"
#include "lunmgr/op.h"

#include <event2/event.h>

static void outdate_arm(struct lunmgr *m)
{
    const struct timeval after = clock_span_ms(m->options.outdate_interval_ms);
    if (m->outdate_timer != NULL)
        event_add(m->outdate_timer, &after);
}

static void log_raise_failed(const struct err *e)
{
    char reason[ERR_TEXT_MAX];
    log_warning("copies of the catalog are not out of date", "reason=%s",
                log_quote(reason, sizeof(reason), e->text));
}

static void outdate_raised(struct catalog_job *job)
{
    struct op *op = container_of(job, struct op, job);
    if (job->rc != 0)
        log_raise_failed(&job->err);
    outdate_arm(op->manager);
    op_free(op);
}

static void outdate_on_time(evutil_socket_t fd, short what, void *arg)
{
    struct lunmgr *m = arg;
    (void)fd;
    (void)what;
    struct op *op = op_new(m, sizeof(*op), NULL);
    op->job.done = outdate_raised;
    catalog_raise_changed(lunmgr_catalog(m), &op->job);
}

int outdate_start(struct lunmgr *m, struct err *e)
{
    m->outdate_timer =
        event_new(loop_base(m->options.control), -1, 0, outdate_on_time, m);
    if (m->outdate_timer == NULL)
        return err_oom(e);
    outdate_arm(m);
    return 0;
}

void outdate_stop(struct lunmgr *m)
{
    if (m->outdate_timer != NULL)
        event_free(m->outdate_timer);
    m->outdate_timer = NULL;
}

void outdate_finish(struct lunmgr *m)
{
    struct err e = {.code = 0};
    if (catalog_raise_changed_wait(lunmgr_catalog(m), &e) != 0)
        log_raise_failed(&e);
}
