/* SPDX-License-Identifier: Apache-2.0 */
/* One note goes both ways (see mode_save.h). The unit, and with it the volume, is held by
 * the mapping that the task was sent to, which does not go before the task has ended. */
#include "target/mode_save.h"

#include "base/log.h"
#include "lunmgr/volume.h"
#include "target/conn.h"
#include "target/lu.h"
#include "target/reactor.h"
#include "target/task.h"

#include <errno.h>
#include <stdlib.h>

struct mode_save {
    struct note note;
    struct task *task;
    struct loop *home; /* the reactor's */
    struct volume *volume;
    struct modes modes;
    mode_save_fn done;
    int rc;
};

static void mode_save_on_return(struct note *note)
{
    struct mode_save *s = container_of(note, struct mode_save, note);
    s->done(s->task, &s->modes, s->rc);
    free(s);
}

static void mode_save_on_saved(void *arg, const struct err *e)
{
    struct mode_save *s = arg;
    char reason[ERR_TEXT_MAX];
    if (e != NULL)
        log_error("mode parameters could not be saved", "volume=%s reason=%s",
                  volume_id(s->volume), log_quote(reason, sizeof(reason), e->text));
    s->rc = e == NULL ? 0 : e->code;
    s->note.run = mode_save_on_return;
    loop_post(s->home, &s->note);
}

static void mode_save_at_control(struct note *note)
{
    struct mode_save *s = container_of(note, struct mode_save, note);
    volume_save_modes(s->volume, &s->modes, mode_save_on_saved, s);
}

int mode_save_start(struct task *t, const struct modes *modes, mode_save_fn done)
{
    struct mode_save *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return -ENOMEM;
    struct reactor *r = t->conn->reactor;
    s->note.run = mode_save_at_control;
    s->task = t;
    s->home = r->loop;
    s->volume = t->lu->volume;
    s->modes = *modes;
    s->done = done;
    loop_post(r->target->control, &s->note);
    return 0;
}
