/* SPDX-License-Identifier: Apache-2.0 */
/* What the engines share: their constructors, the step that continues a short transfer,
 * and a queue of I/Os. For engines (and the tests' own engine) alone; users of an engine
 * include engine.h. */
#ifndef LUNMGR_ENGINE_KINDS_H
#define LUNMGR_ENGINE_KINDS_H

#include "lunmgr/engine.h"

#include <stdbool.h>
#include <stddef.h>

/* Tries the ways to set up a ring, best first, each by a read that is answered through
 * the eventfd; remembers the best that works. 0, or -errno of what refused. */
int engine_uring_probe(struct err *e) MUST_CHECK;
/* After a probe that passed. mode: an index from 0 (best) to engine_uring_mode_count()
 * - 1, or ENGINE_URING_BEST. -EINVAL: this kernel does not have that mode. */
#define ENGINE_URING_BEST (-1)
int engine_uring_create(int mode, struct loop *loop, struct engine **out,
                        struct err *e) MUST_CHECK;
int engine_uring_mode_count(void);

int engine_threads_create(struct loop *loop, struct engine **out,
                          struct err *e) MUST_CHECK;

/* Checks what the caller filled in and clears what is the engine's. An engine that does
 * not hand it to the kernel at once raises io->queued until it does. */
void engine_io_begin(struct engine *engine, struct engine_io *io);
/* One system call, which may wait for the disk: bytes moved, or -errno. Any thread. */
long engine_io_call(struct engine_io *io);
/* The kernel answered `res` (bytes, or -errno). True: it has ended, io->rc is set. False:
 * the rest is to be submitted. */
bool engine_io_step(struct engine_io *io, long res) MUST_CHECK;
/* What is left to move: *count entries at the address returned, from
 * engine_io_position(). */
struct iovec *engine_io_rest(struct engine_io *io, int *count);
static inline off_t engine_io_position(const struct engine_io *io)
{
    return (off_t)(io->offset_bytes + io->moved_bytes);
}

/* First in, first out, linked through io->note. */
struct engine_queue {
    struct note *first;
    struct note *last; /* if first is not NULL */
};

static inline void engine_queue_push(struct engine_queue *queue, struct engine_io *io)
{
    io->note.next = NULL;
    if (queue->first == NULL)
        queue->first = &io->note;
    else
        queue->last->next = &io->note;
    queue->last = &io->note;
}

/* NULL: empty. */
static inline struct engine_io *engine_queue_pop(struct engine_queue *queue)
{
    struct note *note = queue->first;
    if (note == NULL)
        return NULL;
    queue->first = note->next;
    return container_of(note, struct engine_io, note);
}

/* False: it is not in there. */
static inline bool engine_queue_remove(struct engine_queue *queue, struct engine_io *io)
{
    struct note *before = NULL, *at = queue->first;
    for (; at != NULL && at != &io->note; at = at->next)
        before = at;
    if (at == NULL)
        return false;
    if (before == NULL)
        queue->first = at->next;
    else
        before->next = at->next;
    if (queue->last == at)
        queue->last = before;
    return true;
}

/* Appends all of `from`, which is empty after. */
static inline void engine_queue_move(struct engine_queue *to, struct engine_queue *from)
{
    if (from->first == NULL)
        return;
    if (to->first == NULL)
        to->first = from->first;
    else
        to->last->next = from->first;
    to->last = from->last;
    from->first = NULL;
}

#endif
