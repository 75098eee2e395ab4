/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that others stand on. See rows_rig.h. */
#include "rows_rig.h"

#include "db/fold.h"

void add_pool(struct rig *r, const char *id, const char *name)
{
    struct pool_row row = sample_pool(id, name);
    assert_int_equal(pool_row_add(&r->txn, &row, NULL), 0);
}

uint32_t add_layer(struct rig *r, uint32_t parent)
{
    struct layer_row row = sample_layer("p1", parent);
    assert_int_equal(layer_row_add(&r->txn, &row, NULL), 0);
    return row.id;
}

void add_volume(struct rig *r, const char *id, const char *name)
{
    struct volume_row row = sample_volume(id, name, add_layer(r, 0));
    assert_int_equal(volume_row_add(&r->txn, &row, NULL), 0);
}

void add_host(struct rig *r, const char *id, const char *name)
{
    struct host_row row = sample_host(id, name);
    assert_int_equal(host_row_add(&r->txn, &row, NULL, 0, NULL), 0);
}

void fold_all(struct rig *r)
{
    struct fold f;
    fold_begin(&f, &r->txn);
    while (fold_is_under_way(&f))
        assert_int_equal(fold_step(&f, &r->txn, NULL), 0);
}
