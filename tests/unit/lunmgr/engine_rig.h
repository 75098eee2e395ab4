/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine tests share: a loop, an engine of one of the modes and a file; jobs
 * that keep their answer; the entries that run a test in every mode. A mode that this
 * kernel does not have is skipped. One thread. */
#ifndef TESTS_UNIT_LUNMGR_ENGINE_RIG_H
#define TESTS_UNIT_LUNMGR_ENGINE_RIG_H

#include "lunmgr/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FILE_BYTES  (4U << 20)
#define BLOCK       4096U
#define BLOCK_COUNT (FILE_BYTES / BLOCK)

/* io_uring's modes from 0, then threads; then io_uring's best, asked to do all itself. */
#define MODE_THREADS 3
#define MODE_MEMORY  4

struct rig {
    struct loop *loop;
    struct engine *engine;
    int fd;
    bool missing; /* this kernel does not have the mode */
    bool in_memory;
};

/* An I/O with what its answer brought. */
struct job {
    struct engine_io io;
    struct rig *rig;
    int answer_count;
    int rc;
};

/* Of cmocka; the state is the mode's number before, the rig after. */
int rig_setup(void **state);
int rig_teardown(void **state);
/* Skips the test where the mode is missing. */
struct rig *rig_of(void **state);

/* io.done unset: job_done. */
void job_submit(struct rig *rig, struct job *job);
int job_wait(struct rig *rig, struct job *job);
int job_run(struct rig *rig, struct job *job);
void job_done(struct engine_io *io, int rc);
/* One READ or WRITE of the rig's file, waited for. */
int rig_transfer(struct rig *rig, enum engine_op op, void *data, size_t bytes,
                 uint64_t offset_bytes);
/* Bytes that differ by place and seed. */
void rig_fill(uint8_t *data, size_t bytes, unsigned seed);

/* cmocka calls a test by its name: one entry a test and mode. */
extern const int rig_modes[5];

#define ON(test, mode_index, mode_name)                                                  \
    {                                                                                    \
        .name = #test "/" mode_name, .test_func = (test), .setup_func = rig_setup,       \
        .teardown_func = rig_teardown,                                                   \
        .initial_state = (void *)(uintptr_t)&rig_modes[mode_index],                      \
    }
#define ON_ALL(test)                                                                     \
    ON(test, 0, "uring defer_taskrun"), ON(test, 1, "uring coop_taskrun"),               \
        ON(test, 2, "uring plain"), ON(test, 3, "threads"), ON(test, 4, "in memory")

#endif
