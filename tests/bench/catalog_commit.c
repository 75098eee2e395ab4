/* SPDX-License-Identifier: Apache-2.0 */
/* How long a commit of the catalog takes, and what it costs, while rounds come at a
 * steady rate and folding and checkpoints go on between them. A round changes a few words
 * in each of many leaves, at random over a map that is full; beside the rounds a second
 * thread commits a small row of management now and then. Only db/catalog.h is asked, so
 * that the same program measures any version of db/.
 *
 *     ashlar-catalog-commit --dir DIR [--seconds N] [--leaves N] [--words N]
 * [--per-second N]
 *                           [--map-leaves N] [--mirror DIR]
 */
#include "db/catalog.h"
#include "tests/lib/random.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define SAMPLES_MAX        2000000
#define MANAGE_PERIOD_NS   20000000
#define FILL_LEAVES        1024
#define WAL_LOOK_PERIOD_NS 2000000

struct times {
    uint32_t *us;
    size_t count;
};

struct bench {
    const char *dir;
    const char *mirror; /* NULL: none */
    uint64_t seconds, leaves, words, per_second, map_leaves;
    struct catalog *catalog;
    uint32_t layer;
    struct word_change *changes;
    size_t change_count;
    uint64_t random;
    struct times rounds, manages;
    atomic_bool is_over;
    int64_t wal_peak_bytes, backlog_peak_bytes;
};

static void fail(const char *what, const struct err *e)
{
    fprintf(stderr, "ashlar-catalog-commit: %s: %s\n", what, e->text);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void sleep_until(int64_t at_ns)
{
    struct timespec t = {at_ns / 1000000000, at_ns % 1000000000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static uint64_t random_below(struct bench *b, uint64_t end)
{
    return (random_star(&b->random) >> 16) % end;
}

/* ---- The map ----------------------------------------------------------------------- */

static int work_layer(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct bench *b = arg;
    struct pool_row pool = {.id = "p", .name = "p"};
    struct layer_row layer = {.pool_id = "p", .size_extents = UINT64_C(1) << 31};
    int rc = pool_row_add(txn, &pool, e);
    if (rc == 0)
        rc = layer_row_add(txn, &layer, e);
    b->layer = layer.id;
    return rc;
}

static int work_round(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct bench *b = arg;
    const struct layer_count count = {b->layer, b->map_leaves * LEAF_WORDS, 0};
    struct round_changes round = {.words = b->changes,
                                  .word_count = b->change_count,
                                  .layers = &count,
                                  .layer_count = 1};
    return round_store(txn, &round, e);
}

static uint64_t word_of(uint64_t extent)
{
    return UINT64_C(1) << 51 | (extent + 1) << 16 | 0xffff;
}

/* Every extent written, one after the other. */
static int bench_fill(struct bench *b, struct err *e)
{
    int rc = catalog_write_wait(b->catalog, work_layer, b, e);
    for (uint64_t leaf = 0; rc == 0 && leaf < b->map_leaves; leaf += FILL_LEAVES) {
        uint64_t first = leaf * LEAF_WORDS;
        b->change_count = FILL_LEAVES * LEAF_WORDS;
        for (size_t i = 0; i < b->change_count; i++)
            b->changes[i] = (struct word_change){extent_key(b->layer, 0) + first + i,
                                                 word_of(first + i)};
        rc = catalog_write_wait(b->catalog, work_round, b, e);
    }
    return rc;
}

static int change_compare(const void *a, const void *b)
{
    const struct word_change *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* `words` words that follow each other in each of `leaves` leaves. */
static void bench_make_round(struct bench *b)
{
    size_t count = 0, kept = 0;
    for (uint64_t i = 0; i < b->leaves; i++) {
        uint64_t leaf = random_below(b, b->map_leaves);
        uint64_t at = random_below(b, LEAF_WORDS - b->words + 1);
        for (uint64_t w = 0; w < b->words; w++)
            b->changes[count++] = (struct word_change){
                extent_key(b->layer, 0) + leaf * LEAF_WORDS + at + w,
                word_of(random_below(b, b->map_leaves * LEAF_WORDS))};
    }
    qsort(b->changes, count, sizeof(b->changes[0]), change_compare);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || b->changes[i].key != b->changes[kept - 1].key)
            b->changes[kept++] = b->changes[i];
    b->change_count = kept;
}

/* ---- Measuring --------------------------------------------------------------------- */

static int timed_write(struct bench *b, catalog_work_fn work, struct times *times,
                       struct err *e)
{
    int64_t begin_ns = now_ns();
    int rc = catalog_write_wait(b->catalog, work, b, e);
    if (times->count < SAMPLES_MAX)
        times->us[times->count++] = (uint32_t)((now_ns() - begin_ns) / 1000);
    return rc;
}

static int work_manage(struct catalog_txn *txn, void *arg, struct err *e)
{
    (void)arg;
    struct box_row row;
    int rc = box_get(txn, &row, e);
    snprintf(row.id, sizeof(row.id), "box");
    row.generation++;
    return rc != 0 ? rc : box_set(txn, &row, e);
}

static void *manage_main(void *arg)
{
    struct bench *b = arg;
    struct err e = {0};
    for (int64_t due_ns = now_ns(); !atomic_load(&b->is_over);
         due_ns += MANAGE_PERIOD_NS) {
        sleep_until(due_ns);
        if (timed_write(b, work_manage, &b->manages, &e) != 0) {
            fail("a row of management", &e);
            break;
        }
    }
    return NULL;
}

static int64_t file_bytes(const struct bench *b, const char *name)
{
    char path[CATALOG_PATH_MAX];
    struct stat st;
    snprintf(path, sizeof(path), "%s/%s", b->dir, name);
    return stat(path, &st) == 0 ? st.st_size : 0;
}

/* What waits to be folded; 0 where there are no deltas. */
static int64_t backlog_bytes(sqlite3 *db)
{
    sqlite3_stmt *stmt = NULL;
    int64_t bytes = 0;
    if (sqlite3_prepare_v2(db, "SELECT total(length(words)) FROM delta", -1, &stmt,
                           NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        bytes = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return bytes;
}

static void *look_main(void *arg)
{
    struct bench *b = arg;
    char path[CATALOG_PATH_MAX];
    sqlite3 *db = NULL;
    snprintf(path, sizeof(path), "%s/catalog.db", b->dir);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    int64_t begin_ns = now_ns();
    for (uint64_t turn = 0; !atomic_load(&b->is_over); turn++) {
        int64_t wal = file_bytes(b, "catalog.db-wal");
        int64_t backlog = turn % 250 == 0 ? backlog_bytes(db) : 0;
        b->wal_peak_bytes = wal > b->wal_peak_bytes ? wal : b->wal_peak_bytes;
        b->backlog_peak_bytes =
            backlog > b->backlog_peak_bytes ? backlog : b->backlog_peak_bytes;
        sleep_until(begin_ns + (int64_t)(turn + 1) * WAL_LOOK_PERIOD_NS);
    }
    sqlite3_close(db);
    return NULL;
}

static int64_t written_bytes(void)
{
    FILE *f = fopen("/proc/self/io", "re");
    char line[128];
    int64_t bytes = 0;
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, "write_bytes: ", 13) == 0)
            bytes = strtoll(line + 13, NULL, 10);
    if (f != NULL)
        fclose(f);
    return bytes;
}

static int bench_rounds(struct bench *b, struct err *e)
{
    int64_t begin_ns = now_ns(), end_ns = begin_ns + (int64_t)b->seconds * 1000000000;
    int64_t period_ns = b->per_second == 0 ? 0 : 1000000000 / (int64_t)b->per_second;
    int64_t due_ns = begin_ns;
    int rc = 0;
    for (; rc == 0 && now_ns() < end_ns; due_ns += period_ns) {
        bench_make_round(b);
        if (now_ns() < due_ns)
            sleep_until(due_ns);
        else
            due_ns = now_ns();
        rc = timed_write(b, work_round, &b->rounds, e);
    }
    return rc;
}

static int us_compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double ms_at(const struct times *t, size_t per_mille)
{
    size_t at = t->count * per_mille / 1000;
    return t->us[at < t->count ? at : t->count - 1] / 1000.0;
}

static void times_print(const char *what, struct times *t)
{
    qsort(t->us, t->count, sizeof(t->us[0]), us_compare);
    if (t->count > 0)
        printf("%s: count=%zu p50_ms=%.2f p99_ms=%.2f p999_ms=%.2f max_ms=%.2f\n", what,
               t->count, ms_at(t, 500), ms_at(t, 990), ms_at(t, 999), ms_at(t, 1000));
}

static int bench_run(struct bench *b, struct err *e)
{
    int rc = bench_fill(b, e);
    if (rc != 0)
        return rc;
    pthread_t manage, look;
    if (pthread_create(&manage, NULL, manage_main, b) != 0 ||
        pthread_create(&look, NULL, look_main, b) != 0)
        return err_set(e, -EAGAIN, NULL, "cannot start a thread");
    int64_t written = written_bytes(), begin_ns = now_ns();
    rc = bench_rounds(b, e);
    double seconds = (double)(now_ns() - begin_ns) / 1e9;
    written = written_bytes() - written;
    atomic_store(&b->is_over, true);
    pthread_join(manage, NULL);
    pthread_join(look, NULL);
    double rounds = b->rounds.count == 0 ? 1 : (double)b->rounds.count;
    printf("rounds_per_second=%.1f written_kib_per_round=%.1f wal_peak_mib=%.1f"
           " backlog_peak_kib=%.0f\n",
           rounds / seconds, (double)written / 1024 / rounds,
           (double)b->wal_peak_bytes / 1048576, (double)b->backlog_peak_bytes / 1024);
    times_print("rounds", &b->rounds);
    times_print("management", &b->manages);
    return rc;
}

/* ---- Life -------------------------------------------------------------------------- */

static int options_read(struct bench *b, int argc, char **argv)
{
    static const struct option options[] = {
        {"dir", required_argument, NULL, 'd'},
        {"seconds", required_argument, NULL, 's'},
        {"leaves", required_argument, NULL, 'l'},
        {"words", required_argument, NULL, 'w'},
        {"per-second", required_argument, NULL, 'p'},
        {"map-leaves", required_argument, NULL, 'm'},
        {"mirror", required_argument, NULL, 'i'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        uint64_t *number = option == 's'   ? &b->seconds
                           : option == 'l' ? &b->leaves
                           : option == 'w' ? &b->words
                           : option == 'p' ? &b->per_second
                                           : &b->map_leaves;
        if (option == 'd')
            b->dir = optarg;
        else if (option == 'i')
            b->mirror = optarg;
        else if (option == '?')
            return -EINVAL;
        else
            *number = strtoull(optarg, NULL, 10);
    }
    bool is_good = b->dir != NULL && b->leaves > 0 && b->words > 0 &&
                   b->words <= LEAF_WORDS && b->map_leaves >= FILL_LEAVES &&
                   optind == argc;
    return is_good ? 0 : -EINVAL;
}

static int bench_open(struct bench *b, struct err *e)
{
    size_t words = b->leaves * b->words;
    if (words < FILL_LEAVES * LEAF_WORDS)
        words = FILL_LEAVES * LEAF_WORDS;
    b->changes = calloc(words, sizeof(b->changes[0]));
    b->rounds.us = calloc(SAMPLES_MAX, sizeof(b->rounds.us[0]));
    b->manages.us = calloc(SAMPLES_MAX, sizeof(b->manages.us[0]));
    if (b->changes == NULL || b->rounds.us == NULL || b->manages.us == NULL)
        return err_oom(e);
    const struct catalog_options options = {
        .dir = b->dir, .reader_count = 2, .mirror_dir = b->mirror};
    return catalog_open(&options, &b->catalog, e);
}

int main(int argc, char **argv)
{
    struct bench b = {.seconds = 10,
                      .leaves = 4096,
                      .words = 1,
                      .per_second = 20,
                      .map_leaves = 262144, /* 4 TiB */
                      .random = 88172645463325252};
    struct err e = {0};
    if (options_read(&b, argc, argv) != 0) {
        fprintf(stderr,
                "usage: ashlar-catalog-commit --dir DIR [--seconds N] [--leaves N]"
                " [--words N] [--per-second N] [--map-leaves N, from %d]"
                " [--mirror DIR]\n",
                FILL_LEAVES);
        return 2;
    }
    int rc = bench_open(&b, &e);
    if (rc == 0)
        rc = bench_run(&b, &e);
    if (rc != 0)
        fail(b.dir, &e);
    catalog_close(b.catalog);
    free(b.changes);
    free(b.rounds.us);
    free(b.manages.us);
    return rc == 0 ? 0 : 1;
}
