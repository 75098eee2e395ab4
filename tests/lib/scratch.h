/* SPDX-License-Identifier: Apache-2.0 */
/* Where a test has its files that asks for no disk: in memory, where syncs cost nothing,
 * if there is such a place. */
#ifndef TESTS_LIB_SCRATCH_H
#define TESTS_LIB_SCRATCH_H

#include <unistd.h>

static inline const char *scratch_dir(void)
{
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

#endif
