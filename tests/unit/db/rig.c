/* SPDX-License-Identifier: Apache-2.0 */
/* The rig of the tests of db/. See rig.h. */
#include "rig.h"

#include "db/migrate.h"
#include "db/overlay.h"
#include "tests/lib/scratch.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define RIG_FILE_MAX (64 << 20)

/* ---- Life -------------------------------------------------------------------------- */

int rig_setup(void **state)
{
    struct rig *r = calloc(1, sizeof(*r));
    assert(r != NULL);
    snprintf(r->dir, sizeof(r->dir), "%s/ashlar-db-XXXXXX", scratch_dir());
    assert(mkdtemp(r->dir) != NULL);
    *state = r;
    return 0;
}

int rig_try_open(struct rig *r, const char *dir, struct err *e)
{
    struct catalog_options options = {.dir = dir, .reader_count = 2};
    return catalog_open(&options, &r->catalog, e);
}

void rig_open(struct rig *r)
{
    struct err e = {0};
    int rc = rig_try_open(r, r->dir, &e);
    if (rc != 0)
        fprintf(stderr, "catalog_open: %d %s\n", rc, e.text);
    assert(rc == 0);
}

void rig_close(struct rig *r)
{
    catalog_close(r->catalog);
    r->catalog = NULL;
}

int rig_setup_open(void **state)
{
    rig_setup(state);
    rig_open(*state);
    return 0;
}

int rig_setup_txn(void **state)
{
    rig_setup_open(state);
    struct rig *r = *state;
    rig_close(r);
    int rc = txn_open_writer(&r->txn, rig_path(r, "catalog.db"), NULL, NULL);
    assert(rc == 0);
    rc = overlay_create(&r->txn.overlay);
    assert(rc == 0);
    return 0;
}

int rig_teardown(void **state)
{
    struct rig *r = *state;
    rig_close(r);
    overlay_destroy(r->txn.overlay);
    txn_close(&r->txn);
    DIR *dir = opendir(r->dir);
    assert(dir != NULL);
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(r->dir);
    free(r);
    return 0;
}

/* ---- Files ------------------------------------------------------------------------- */

const char *rig_path(const struct rig *r, const char *name)
{
    static char paths[4][128];
    static unsigned turn;
    char *path = paths[turn++ % ARRAY_LEN(paths)];
    snprintf(path, sizeof(paths[0]), "%s/%s", r->dir, name);
    return path;
}

long rig_file_bytes(const struct rig *r, const char *name)
{
    struct stat st;
    return stat(rig_path(r, name), &st) == 0 ? (long)st.st_size : -1;
}

void rig_copy_file(const struct rig *r, const char *name, const char *to)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", to, name);
    long bytes = rig_file_bytes(r, name);
    assert(bytes >= 0 && bytes <= RIG_FILE_MAX);
    AUTO_FREE char *data = malloc((size_t)bytes + 1);
    AUTO_CLOSE int in = open(rig_path(r, name), O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(data != NULL && in >= 0 && out >= 0);
    ssize_t got = read(in, data, (size_t)bytes);
    ssize_t put = write(out, data, (size_t)bytes);
    assert(got == bytes && put == bytes);
}

void rig_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    int opened = sqlite3_open(path, &db);
    int ran = sqlite3_exec(db, sql, NULL, NULL, NULL);
    assert(opened == SQLITE_OK && ran == SQLITE_OK);
    sqlite3_close(db);
}

void rig_make_schema(struct rig *r, int version)
{
    const char *path = rig_path(r, "catalog.db");
    char stamp[96];
    for (int i = 0; i < version; i++)
        rig_sql(path, migrations[i]);
    snprintf(stamp, sizeof(stamp), "PRAGMA application_id=%d; PRAGMA user_version=%d",
             CATALOG_APPLICATION_ID, version);
    rig_sql(path, stamp);
}

/* ---- Sample rows ------------------------------------------------------------------- */

static void put(char *out, size_t room_bytes, const char *text)
{
    int length = snprintf(out, room_bytes, "%s", text);
    assert(length >= 0 && (size_t)length < room_bytes);
}
#define PUT(member, text) put(member, sizeof(member), text)

struct pool_row sample_pool(const char *id, const char *name)
{
    struct pool_row row = {
        .created_s = 1700000000, .overcommit_cap_percent = 150, .page_cache = true};
    PUT(row.id, id);
    PUT(row.name, name);
    return row;
}

struct device_row sample_device(const char *id, const char *pool, unsigned slot)
{
    struct device_row row = {
        .slot = (uint16_t)slot, .extents = 1600, .generation = UINT64_C(1) << 40};
    PUT(row.id, id);
    PUT(row.pool_id, pool);
    snprintf(row.path, sizeof(row.path), "/dev/%s", id);
    return row;
}

struct layer_row sample_layer(const char *pool, uint32_t parent)
{
    struct layer_row row = {.parent = parent,
                            .size_extents = 1U << 31,
                            .used_extents = 7,
                            .shared_extents = 3};
    PUT(row.pool_id, pool);
    return row;
}

struct volume_row sample_volume(const char *id, const char *name, uint32_t layer)
{
    struct volume_row row = {.top_layer = layer,
                             .size_bytes = UINT64_C(64) << 40,
                             .block_bytes = 512,
                             .physical_bytes = 4096,
                             .naa_serial = layer + 100U,
                             .created_s = -5,
                             .guaranteed_bytes = 65536};
    PUT(row.id, id);
    PUT(row.name, name);
    PUT(row.pool_id, "p1");
    return row;
}

struct host_row sample_host(const char *id, const char *name)
{
    struct host_row row = {.created_s = 1700000001, .profile = "esxi"};
    PUT(row.id, id);
    PUT(row.name, name);
    return row;
}

struct mapping_row sample_mapping(const char *id, const char *volume, const char *host,
                                  unsigned lun)
{
    struct mapping_row row = {
        .lun = (uint16_t)lun, .read_only = lun % 2 != 0, .created_s = 1700000002};
    PUT(row.id, id);
    PUT(row.volume_id, volume);
    PUT(row.host_id, host);
    return row;
}

struct token_row sample_token(const char *id, const char *name)
{
    struct token_row row = {.created_s = 1700000003, .scope = "admin"};
    PUT(row.id, id);
    PUT(row.name, name);
    for (size_t i = 0; i < sizeof(row.hash); i++)
        row.hash[i] = (uint8_t)(id[strlen(id) - 1] + (char)i);
    return row;
}

int work_add_pool(struct catalog_txn *txn, void *arg, struct err *e)
{
    return pool_row_add(txn, arg, e);
}

static int count_pool(const struct pool_row *row, void *arg)
{
    (void)row;
    ++*(int *)arg;
    return 0;
}

int work_count_pools(struct catalog_txn *txn, void *arg, struct err *e)
{
    *(int *)arg = 0;
    return pool_row_each(txn, count_pool, arg, e);
}

int rig_pool_count(struct rig *r)
{
    int count = -1;
    int rc = catalog_read_wait(r->catalog, work_count_pools, &count, NULL);
    return rc == 0 ? count : rc;
}

/* ---- Jobs -------------------------------------------------------------------------- */

static void post_box_wake(void *arg)
{
    sem_post(arg);
}

void post_box_init(struct post_box *box)
{
    sem_init(&box->posted, 0, 0);
    inbox_init(&box->inbox, post_box_wake, &box->posted);
    box->done_count = 0;
}

void post_box_wait(struct post_box *box, unsigned count)
{
    while (box->done_count < count) {
        int rc = sem_wait(&box->posted);
        assert(rc == 0 || errno == EINTR);
        inbox_run(&box->inbox);
    }
}

static int test_job_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct test_job *j = container_of(job, struct test_job, job);
    return j->work(txn, j->arg, e);
}

static void test_job_done(struct catalog_job *job)
{
    container_of(job, struct test_job, job)->box->done_count++;
}

void test_job_init(struct test_job *j, struct post_box *box, catalog_work_fn work,
                   void *arg)
{
    memset(j, 0, sizeof(*j));
    j->job.reply_to = &box->inbox;
    j->job.work = test_job_work;
    j->job.done = test_job_done;
    j->job.rc = 12345; /* not what an answer would be */
    j->box = box;
    j->work = work;
    j->arg = arg;
}

void gate_init(struct gate *g)
{
    sem_init(&g->entered, 0, 0);
    sem_init(&g->released, 0, 0);
}

int work_gate(struct catalog_txn *txn, void *arg, struct err *e)
{
    (void)txn;
    (void)e;
    struct gate *g = arg;
    sem_post(&g->entered);
    sem_wait(&g->released);
    return 0;
}
