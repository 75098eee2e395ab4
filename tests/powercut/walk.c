/* SPDX-License-Identifier: Apache-2.0 */
/* A device comes, is filled, one is emptied, goes, and one grows, under I/O: the same
 * each time, but for where the mains fall. */
#include "tests/powercut/run.h"

static const struct {
    const char *what;
    void (*run)(struct run *run);
} steps[] = {
    {"a device comes", run_add_device},
    {"I/O", run_load_start},
    {"one is to be empty", run_evacuate_device},
    {"it is", run_await_evacuations},
    {"it goes", run_remove_device},
    {"one grows", run_grow_device},
};

static void fill_some(struct run *run)
{
    for (unsigned i = 0; i < 2; i++) {
        run_create(run);
        run_load_start(run);
        run_load_end(run, NULL);
    }
}

bool run_walk(struct run *run, enum power_point point, uint64_t nth, bool *fell)
{
    run->walks = true;
    run_trace(run, "a walk to point %d, number %llu", (int)point,
              (unsigned long long)nth);
    run_begin(run);
    fill_some(run);
    power_plan(run->power, point, nth);
    for (size_t i = 0; i < ARRAY_LEN(steps) && !run_is_off(run); i++) {
        run_trace(run, "-- %s", steps[i].what);
        if (!run_has_offence(run))
            steps[i].run(run);
    }
    *fell = run_is_off(run);
    if (!run_has_offence(run))
        run_restart(run);
    if (!run_has_offence(run))
        run_check(run, true);
    run_end(run);
    return !run_has_offence(run);
}
