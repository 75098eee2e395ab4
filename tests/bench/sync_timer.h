/* SPDX-License-Identifier: Apache-2.0 */
/* How long the program's own fdatasyncs take: those of pool devices, by an engine that
 * passes everything on to the real one, and those of the catalog, by a fdatasync that
 * SQLite is linked with in place of libc's. */
#ifndef TESTS_BENCH_SYNC_TIMER_H
#define TESTS_BENCH_SYNC_TIMER_H

#include "lunmgr/engine.h"
#include "tests/bench/traffic.h"

/* For lunmgr_options.make_engine; arg: an enum engine_kind. */
int sync_timer_engine(void *arg, struct loop *loop, struct engine **out,
                      struct err *e) MUST_CHECK;
/* Any thread. */
void sync_timer_reset(void);
struct sync_times {
    uint64_t count, longest_ns;
};
/* Of devices and of the catalog. */
void sync_timer_read(struct sync_times *device, struct sync_times *catalog);
/* The longest of those that were under way at any moment of the span; 0: none. */
uint64_t sync_timer_longest_in(const struct io_span *span);

#endif
