/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation of each operation fails in turn, on the thread that makes it: control,
 * a lane, the pools' loop, the catalog's. By design an op itself is had or the process
 * ends (lunmgr/op.h); a merge or a drop that cannot begin for want of memory waits for
 * the next start, and a freed extent that limbo has no room for leaks until then. */
#include "lunmgr/pool_priv.h"
#include "tests/lib/fail_malloc.h"
#include "tests/lib/fault_case.h"

#include <stdio.h>

static const struct fault memory = {
    .arm = fail_malloc_arm, .disarm = fail_malloc_disarm, .may_wait_for_restart = true};

static void each_allocation_may_fail(void **state)
{
    unsigned all = 0;
    (void)state;
    for (size_t i = 0; i < fault_case_count; i++) {
        unsigned steps = fault_case_run(&fault_cases[i], &memory) - 1;
        print_message("%s: %u allocations\n", fault_cases[i].name, steps);
        all += steps;
    }
    assert_true(all > fault_case_count);
}

static void count_layers(struct pool_rig *r, void *arg)
{
    for (const struct layer *l = r->pool->layers; l != NULL; l = l->next)
        ++*(unsigned *)arg;
}

/* With the words of a batch read, one leaf after the other: what has no memory is tried
 * again. */
static void only_a_drop_that_cannot_begin_waits(void **state)
{
    unsigned late = 0;
    bool struck = true;
    (void)state;
    for (unsigned nth = 1; struck; nth++) {
        struct pool_rig_options options = {
            .engine = RIG_FAKE, .lane_count = 1, .pool_bytes = 16 * MIB, .tick_ms = 5};
        unsigned layers = 0;
        pool_rig_create(&fault_rig, &options);
        struct volume *v = pool_rig_volume(&fault_rig, "v", 64 * MIB, 512);
        for (uint64_t at = 0; at < 64 * MIB; at += 16 * MIB)
            assert_int_equal(rig_write(&fault_rig, v, at, 4096, 1), 0);
        assert_int_equal(rig_flush(&fault_rig, v), 0);
        fail_malloc_arm(nth);
        int rc = pool_rig_delete_volume(&fault_rig, "v", NULL);
        pool_rig_settle(&fault_rig);
        struck = fail_malloc_disarm();
        pool_rig_at_home(&fault_rig, count_layers, &layers);
        late += rc == 0 && layers > 0;
        pool_rig_destroy(&fault_rig);
    }
    assert_in_range(late, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(only_a_drop_that_cannot_begin_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
