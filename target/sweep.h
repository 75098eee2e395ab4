/* SPDX-License-Identifier: Apache-2.0 */
/* Aborts a set of tasks of one reactor and waits until exec has none of them: what task
 * management functions are made of. Tasks that come later are not of the set. The
 * reactor's thread. */
#ifndef TARGET_SWEEP_H
#define TARGET_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct reactor;
struct task;
struct volume;

struct sweep {
    struct sweep *next;
    /* Which tasks. */
    const struct conn *only_conn;  /* NULL: of every one */
    struct volume *const *volumes; /* of these LUs; NULL: of all */
    size_t volume_count;
    bool one_itt;
    uint32_t itt;
    bool spares_detached;   /* what has been answered is no task to the function */
    uint64_t before_serial; /* those that had come when the reactor was there */
    /* On the reactor's thread, perhaps inside sweep_start. */
    void (*done)(struct sweep *sweep);
    void *arg;
    uint32_t pending; /* the sweep's own */
};

void sweep_start(struct reactor *r, struct sweep *sweep);
/* An aborted task has ended. */
void sweep_on_task_end(struct reactor *r, const struct task *t);

#endif
