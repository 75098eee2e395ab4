/* SPDX-License-Identifier: Apache-2.0 */
/* See rig_check.h. */
#include "tests/lib/rig_check.h"

#include <stdlib.h>

struct pool_check_report rig_assert_no_harm(struct pool_rig *r)
{
    struct pool_check_report report;
    assert_int_equal(pool_rig_check(r, &report, NULL), 0);
    assert_int_equal(report.double_extents, 0);
    assert_int_equal(report.lost_extents, 0);
    assert_int_equal(report.miscounted_extents, 0);
    return report;
}

struct pool_check_report rig_assert_sound(struct pool_rig *r)
{
    pool_rig_await_checks(r);
    pool_rig_settle(r);
    struct pool_check_report report = rig_assert_no_harm(r);
    assert_int_equal(report.leaked_extents, 0);
    assert_int_equal(report.named_extents, report.used_extents);
    return report;
}

void rig_assert_holds(struct pool_rig *r, struct volume *volume, const uint8_t *expect,
                      uint64_t bytes)
{
    AUTO_FREE uint8_t *data = malloc(bytes);
    assert_non_null(data);
    assert_int_equal(rig_io_run(r, 0, volume, VIO_READ, 0, bytes, data), 0);
    assert_memory_equal(data, expect, bytes);
}
