/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation of each operation fails in turn, on the thread that makes it: control,
 * a lane, the pools' loop, the catalog's. By design an op itself is had or the process
 * ends (lunmgr/op.h); a merge or a drop that cannot begin for want of memory waits for
 * the next start, and a freed extent that limbo has no room for leaks until then. */
#include "tests/lib/fail_malloc.h"
#include "tests/lib/fault_case.h"

#include <stdio.h>

static const struct fault memory = {
    .arm = fail_malloc_arm, .disarm = fail_malloc_disarm, .may_wait_for_restart = true};

static void each_allocation_may_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < fault_case_count; i++) {
        unsigned steps = fault_case_run(&fault_cases[i], &memory) - 1;
        print_message("%s: %u allocations\n", fault_cases[i].name, steps);
        assert_true(steps > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
