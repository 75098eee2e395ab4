/* SPDX-License-Identifier: Apache-2.0 */
/* What the blocks of pieces show while their words are held, read into memory: what an OR
 * adds to and a COMPARE AND WRITE compares. In two steps, since only the first may have
 * to wait for a leaf. The lane's thread. */
#include "lunmgr/extent_priv.h"

#include "lunmgr/lane_priv.h"
#include "lunmgr/stack.h"

#include <errno.h>

struct extent_showing;

struct show_read {
    struct engine_io io;
    struct iovec iov;
    struct extent_showing *showing;
};

struct extent_showing {
    struct extent_io *x;
    void (*done)(struct extent_io *x, int rc);
    unsigned due; /* reads */
    int rc;
    struct show_read reads[];
};

struct extent_io *extent_plan(struct extent_io *pieces, uint32_t count, struct plan *plan)
{
    struct lane *lane = pieces->vio->lane;
    *plan = (struct plan){.runs = lane->runs, .run_max = ARRAY_LEN(lane->runs)};
    for (uint32_t i = 0; i < count; i++) {
        struct extent_io *x = &pieces[i];
        struct stack stack;
        if (stack_look(extent_layer(x), x->index, &stack) != 0)
            return x;
        plan_extent(plan, stack.words, stack.depth, first_block(x), block_count(x));
    }
    return NULL;
}

static void show_ended(struct extent_showing *s, int rc)
{
    if (rc != 0)
        s->rc = -EIO;
    if (--s->due > 0)
        return;
    struct extent_io *x = s->x;
    void (*done)(struct extent_io *, int) = s->done;
    rc = s->rc;
    buf_put(x->vio->lane->buffers, &x->work);
    done(x, rc);
}

static void show_on_read(struct engine_io *io, int rc)
{
    show_ended(container_of(io, struct show_read, io)->showing, rc);
}

void extent_show(struct extent_io *x, const struct plan *plan, uint8_t *to,
                 void (*done)(struct extent_io *x, int rc))
{
    size_t bytes =
        sizeof(struct extent_showing) + plan->run_count * sizeof(struct show_read);
    if (buf_get(x->vio->lane->buffers, bytes, &x->work) != 0) {
        done(x, -ENOMEM);
        return;
    }
    struct extent_showing *s = (void *)x->work.base;
    *s = (struct extent_showing){.x = x, .done = done, .due = 1}; /* till all are asked */
    for (size_t i = 0; i < plan->run_count; i++) {
        struct show_read *read = &s->reads[i];
        read->showing = s;
        s->due += extent_read(x, &plan->runs[i], to, &read->io, &read->iov, show_on_read);
        to += (size_t)plan->runs[i].count * BLOCK_BYTES;
    }
    show_ended(s, 0);
}
