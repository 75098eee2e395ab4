/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation of several steps, to be run with a fault at each of its steps in turn.
 * It fails with a reason and changes nothing, or succeeds wholly; without the fault it
 * then succeeds; a restart finds all as it was; no extent is lost, doubled or leaked. */
#ifndef TESTS_LIB_FAULT_CASE_H
#define TESTS_LIB_FAULT_CASE_H

#include "tests/lib/rig_manage.h"

struct fault_case {
    const char *name;
    void (*prepare)(void); /* what is there before, flushed */
    int (*run)(struct err *e);
    bool is_io;       /* where it fails, sectors are as before or as after */
    bool is_cold;     /* begins after a restart: no leaf is in memory */
    bool is_unsynced; /* begins with data that the device has not synced */
    /* A failure after its commit leaves it done, with the rest left to the next start. */
    bool may_be_half;
};

extern const struct fault_case fault_cases[];
extern const size_t fault_case_count;
/* What they run on. */
extern struct pool_rig fault_rig;

struct fault {
    /* The nth step from now on fails. */
    void (*arm)(unsigned nth);
    bool (*disarm)(void); /* true: it has struck */
    /* What failed is taken up at the next start only, or leaks until then. */
    bool may_wait_for_restart;
};

/* The case with nth = 1, 2, ... until no fault strikes: the last nth. Asserts. */
unsigned fault_case_run(const struct fault_case *c, const struct fault *fault);

#endif
