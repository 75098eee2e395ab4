/* SPDX-License-Identifier: Apache-2.0 */
/* Fails the Nth allocation of the project's own objects, on whatever thread. The program
 * is linked with --wrap for each of the four functions
 * (tests/unit/lunmgr/CMakeLists.txt), so that shared libraries allocate as ever. What the
 * test's own objects allocate while armed counts too: they had better not. */
#ifndef TESTS_LIB_FAIL_MALLOC_H
#define TESTS_LIB_FAIL_MALLOC_H

#include <stdbool.h>

/* From now on the nth (from 1) fails, once. */
void fail_malloc_arm(unsigned nth);
/* True: it has failed. */
bool fail_malloc_disarm(void);

#endif
