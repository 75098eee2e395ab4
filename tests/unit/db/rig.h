/* SPDX-License-Identifier: Apache-2.0 */
/* A state directory of its own for each test, and what the tests of db/ share. cmocka's
 * asserts jump, so they run on the test's thread alone: tests of rows open a connection
 * of their own (rig_txn), tests of threads hand in jobs and look at the answers. */
#ifndef TESTS_UNIT_DB_RIG_H
#define TESTS_UNIT_DB_RIG_H

/* cmocka wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/catalog.h"
#include "db/txn.h"

#include <semaphore.h>

struct rig {
    char dir[64];
    struct catalog *catalog; /* NULL while closed */
    struct catalog_txn txn;  /* see rig_txn */
};

/* cmocka setup and teardown: *state is the rig. The first leaves the catalog closed. */
int rig_setup(void **state);
int rig_setup_open(void **state);
int rig_setup_txn(void **state);
int rig_teardown(void **state);

void rig_open(struct rig *r);
void rig_close(struct rig *r);
int rig_try_open(struct rig *r, const char *dir, struct err *e);

/* dir/name, in a buffer that the next four calls leave alone. */
const char *rig_path(const struct rig *r, const char *name);
/* -1: no such file. */
long rig_file_bytes(const struct rig *r, const char *name);
/* Copies r's file `name` into the directory `to`. */
void rig_copy_file(const struct rig *r, const char *name, const char *to);
/* Makes an empty catalog of an older schema. */
void rig_make_schema(struct rig *r, int version);
/* Runs SQL on a database file with a plain connection. */
void rig_sql(const char *path, const char *sql);

/* ---- Sample rows ------------------------------------------------------------------- */

struct pool_row sample_pool(const char *id, const char *name);
struct device_row sample_device(const char *id, const char *pool, unsigned slot);
struct layer_row sample_layer(const char *pool, uint32_t parent);
struct volume_row sample_volume(const char *id, const char *name, uint32_t layer);
struct host_row sample_host(const char *id, const char *name);
struct mapping_row sample_mapping(const char *id, const char *volume, const char *host,
                                  unsigned lun);
struct token_row sample_token(const char *id, const char *name);

/* A blocking work function each: arg is the pool_row; an int to count into. */
int work_add_pool(struct catalog_txn *txn, void *arg, struct err *e);
int work_count_pools(struct catalog_txn *txn, void *arg, struct err *e);
int rig_pool_count(struct rig *r);

/* ---- Jobs -------------------------------------------------------------------------- */

/* An inbox whose owner sleeps on a semaphore: the test's thread or one that it started.
 */
struct post_box {
    struct inbox inbox;
    sem_t posted;
    unsigned done_count;
};
void post_box_init(struct post_box *box);
/* Runs answers until done_count has risen to `count`. */
void post_box_wait(struct post_box *box, unsigned count);

struct test_job {
    struct catalog_job job;
    struct post_box *box;
    catalog_work_fn work;
    void *arg;
};
/* Fills in all that the catalog wants; test_job_done counts in the box. */
void test_job_init(struct test_job *j, struct post_box *box, catalog_work_fn work,
                   void *arg);

/* A job's work that holds its thread until the test lets it go. */
struct gate {
    sem_t entered, released;
};
void gate_init(struct gate *g);
int work_gate(struct catalog_txn *txn, void *arg, struct err *e);

#endif
