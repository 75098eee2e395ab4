/* SPDX-License-Identifier: Apache-2.0 */
/* How far long work is, and whether it is to stop: said by whoever works, asked by
 * whoever wants to know. Any thread. */
#ifndef LUNMGR_PROGRESS_H
#define LUNMGR_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct progress {
    _Atomic uint64_t done, total; /* units; total 0: not known yet */
    atomic_bool stop;             /* at the next step; never taken back */
};

#endif
