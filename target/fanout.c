/* SPDX-License-Identifier: Apache-2.0 */
/* A leg's note goes to its reactor and comes back to the asker, so that the count is the
 * asker's alone. */
#include "target/fanout.h"

#include "target/reactor.h"

static void fanout_on_leg(struct note *note)
{
    struct fanout_leg *leg = container_of(note, struct fanout_leg, note);
    leg->fanout->run(leg);
}

static void fanout_on_leg_done(struct note *note)
{
    struct fanout *f = container_of(note, struct fanout_leg, note)->fanout;
    if (--f->pending == 0)
        f->done(f);
}

void fanout_start(struct fanout *f, struct target *t)
{
    f->pending = t->reactor_count;
    for (unsigned i = 0; i < t->reactor_count; i++) {
        struct fanout_leg *leg = &f->legs[i];
        leg->fanout = f;
        leg->reactor = t->reactors[i];
        leg->note.run = fanout_on_leg;
        loop_post(leg->reactor->loop, &leg->note);
    }
}

void fanout_leg_done(struct fanout_leg *leg)
{
    leg->note.run = fanout_on_leg_done;
    loop_post(leg->fanout->asker, &leg->note);
}
