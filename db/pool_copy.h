/* SPDX-License-Identifier: Apache-2.0 */
/* All rows of a pool, from one catalog into another of the same schema, where its layers
 * and devices get numbers that are free. Columns are copied by name, so that what a
 * migration adds to a table goes along; a table that it adds is to be put into the list
 * in pool_copy.c (tests/unit/db/test_pool_file.c holds that each is in it, or is no
 * pool's). On one thread, with a transaction open on both sides. */
#ifndef DB_POOL_COPY_H
#define DB_POOL_COPY_H

#include "db/catalog.h"

struct pool_copy {
    struct catalog_txn *from, *to;
    const char *pool_id;
    const char *name; /* the pool's there; NULL: as it is */
    uint32_t first_layer, first_device;
    /* Of the devices, in order of number; NULL: as they are. */
    const struct device_row *devices;
    uint64_t first_serial; /* the volumes' there; 0: as they are */
};

int pool_copy(const struct pool_copy *copy, struct err *e) MUST_CHECK;

/* The tables that it knows; NULL: the end. For the test. */
const char *pool_copy_table(size_t i);

#endif
