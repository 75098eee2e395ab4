/* SPDX-License-Identifier: Apache-2.0 */
/* Every change that lunmgr can be asked for, on one small world: what the tests of
 * records and of dry runs go through. */
#ifndef TESTS_UNIT_LUNMGR_RECORD_CASES_H
#define TESTS_UNIT_LUNMGR_RECORD_CASES_H

#include "lunmgr/record.h"
#include "tests/unit/lunmgr/manage_rig.h"

/* Pools p, and q without volumes; volumes v with a snapshot s and data, w; t in the
 * trash; hosts h, to which v is mapped as LUN 1, and g; tokens k, and a of g. */
int cases_setup(void **state);
int cases_teardown(void **state);

struct change_case {
    const char *operation;
    void (*ask)(struct answer *a);
    /* The id of what it makes or changes; of what goes, asked for before. */
    void (*id)(const struct answer *a, char out[VOLUME_ID_MAX]);
    bool goes;
};
extern const struct change_case change_cases[];
extern const size_t change_case_count;

/* What is asked for in this world is refused. */
struct refusal {
    const char *operation;
    void (*ask)(struct answer *a);
    int code;
    const char *field;
};
extern const struct refusal refusals[];
extern const size_t refusal_count;

/* The next change goes with a record: audited, with the operation and, unless it is "",
 * the key. */
void record_next(const char *operation, const char *key, bool dry_run);
/* Asks and waits. */
struct answer ask(void (*fn)(struct answer *a));

/* A sum over all rows of the catalog but the map's. */
void catalog_sum(uint8_t sum[32]);

#endif
