/* SPDX-License-Identifier: Apache-2.0 */
/* An open pool's file from inside. */
#ifndef DB_POOL_FILE_PRIV_H
#define DB_POOL_FILE_PRIV_H

#include "db/pool_file.h"
#include "db/txn.h"

struct pool_file {
    struct catalog_txn txn; /* a database without a name, gone when it is closed */
    struct overlay *overlay;
    struct pool_file_info info;
    struct device_row *devices;
};

#endif
