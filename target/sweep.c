/* SPDX-License-Identifier: Apache-2.0 */
/* A disk I/O cannot be called back, so an aborted task that exec has is only marked; the
 * sweep counts those and hears of the end of each. */
#include "target/sweep.h"

#include "target/conn.h"
#include "target/lu.h"
#include "target/reactor.h"
#include "target/session.h"
#include "target/task_flow.h"

static bool sweep_has_volume(const struct sweep *s, const struct task *t)
{
    if (s->volumes == NULL)
        return true;
    for (size_t i = 0; t->lu != NULL && i < s->volume_count; i++) {
        if (s->volumes[i] == t->lu->volume)
            return true;
    }
    return false;
}

static bool sweep_covers(const struct sweep *s, const struct task *t)
{
    if (t->serial >= s->before_serial)
        return false;
    if (s->only_conn != NULL && t->conn != s->only_conn)
        return false;
    if (s->spares_detached && t->detached)
        return false;
    if (s->one_itt && t->itt != s->itt)
        return false;
    return sweep_has_volume(s, t);
}

static void sweep_session(struct sweep *s, struct session *session)
{
    struct task *next;
    for (struct task *t = session->first; t != NULL; t = next) {
        next = t->next;
        if (t->state == TASK_ANSWERING || !sweep_covers(s, t))
            continue;
        if (t->state == TASK_EXECUTING)
            s->pending++;
        task_abort(t);
    }
}

void sweep_start(struct reactor *r, struct sweep *s)
{
    s->pending = 0;
    for (struct conn *c = r->conns; c != NULL; c = c->next) {
        if (s->only_conn == NULL || s->only_conn == c)
            sweep_session(s, c->session);
    }
    if (s->pending == 0) {
        s->done(s);
        return;
    }
    s->next = r->sweeps;
    r->sweeps = s;
}

void sweep_on_task_end(struct reactor *r, const struct task *t)
{
    struct sweep **at = &r->sweeps;
    while (*at != NULL) {
        struct sweep *s = *at;
        if (!sweep_covers(s, t) || --s->pending > 0) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        s->done(s);
    }
}
