/* SPDX-License-Identifier: Apache-2.0 */
/* The rig's life and its waiting. Management is in rig_manage.c, one I/O in rig_io.c. */
#include "tests/lib/pool_rig.h"

#include "db/catalog.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"
#include "tests/lib/hand_clock.h"
#include "tests/lib/random.h"
#include "tests/lib/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WAIT_S_MAX     60
#define HAND_STEPS_MAX 20000000
#define HAND_STEP_NS   20000
#define TURNS          32
#define NIGHTLY_TIMES  5
#define TIMES_MAX      10000

static _Noreturn void rig_die(const char *what, const char *why)
{
    fprintf(stderr, "pool_rig: %s: %s\n", what, why);
    abort();
}

static void must(int rc, const char *what, const struct err *e)
{
    if (rc != 0)
        rig_die(what, e->text);
}

unsigned rig_times(unsigned n)
{
    const char *text = getenv("ASHLAR_NIGHTLY");
    long times = text == NULL ? 0 : strtol(text, NULL, 10);
    if (times == 1)
        times = NIGHTLY_TIMES;
    return times > 1 && times <= TIMES_MAX ? n * (unsigned)times : n;
}

bool pool_rig_has(enum rig_engine engine)
{
    return engine != RIG_URING || engine_probe_uring(NULL) == 0;
}

/* ---- Engines ------------------------------------------------------------------------
 */

struct engine_place {
    struct pool_rig *rig;
    struct fake_engine **fake;
};

static struct engine_place engine_place; /* of the lane being made */

static int rig_make_engine(void *arg, struct loop *loop, struct engine **out,
                           struct err *e)
{
    struct pool_rig *r = arg;
    if (r->options.engine == RIG_CUT)
        return cut_disk_engine(r->power, loop, out, e);
    struct fake_engine *fake = fake_engine_create(loop, 0);
    if (fake == NULL)
        return err_oom(e);
    fake_engine_shuffle(fake, r->options.seed);
    *engine_place.fake = fake;
    *out = fake_engine_engine(fake);
    return 0;
}

static enum engine_kind rig_kind(const struct pool_rig *r)
{
    return r->options.engine == RIG_URING ? ENGINE_URING : ENGINE_THREADS;
}

/* ---- Opening ------------------------------------------------------------------------
 */

static void rig_turn(void *arg)
{
    pool_rig_step(arg);
}

static void rig_open_manager(struct pool_rig *r)
{
    struct err e = {.code = 0};
    struct catalog_options catalog = {
        .dir = r->dir, .reader_count = 2, .by_hand = r->options.by_hand};
    must(catalog_open(&catalog, &r->catalog, &e), "catalog_open", &e);
    must(loop_create("control", &r->control, &e), "loop_create", &e);
    bool own = r->options.engine == RIG_FAKE || r->options.engine == RIG_CUT;
    struct lunmgr_options options = {
        .catalog = r->catalog,
        .control = r->control,
        .engine = rig_kind(r),
        .trash_retention_s = 3600,
        .round_interval_ms = r->options.tick_ms == 0 ? 3600000 : r->options.tick_ms,
        .space_grace_ms = r->options.space_grace_ms,
        .leaf_cache_bytes = r->options.leaf_cache_bytes,
        .outdate_interval_ms = r->options.outdate_ms,
        .make_engine = own ? rig_make_engine : NULL,
        .make_engine_arg = r,
        .turn = r->options.by_hand ? rig_turn : NULL,
        .turn_arg = r,
    };
    engine_place.fake = &r->home_fake;
    must(lunmgr_open(&options, &r->manager, &e), "lunmgr_open", &e);
}

static void rig_open_lane(struct pool_rig *r, unsigned i)
{
    struct err e = {.code = 0};
    struct rig_lane *l = &r->lanes[i];
    char name[16];
    snprintf(name, sizeof(name), "lane%u", i);
    l->rig = r;
    must(loop_create(name, &l->loop, &e), "loop_create", &e);
    engine_place.fake = &l->fake;
    must(lane_create(r->manager, l->loop, rig_kind(r), &l->lane, &e), "lane_create", &e);
    if (r->options.threads)
        must(loop_start(l->loop, &e), "loop_start", &e);
}

void pool_rig_open(struct pool_rig *r)
{
    rig_open_manager(r);
    for (unsigned i = 0; i < r->options.lane_count; i++)
        rig_open_lane(r, i);
    r->pool = pool_find(r->manager, "p");
}

void pool_rig_create_bare(struct pool_rig *r, const struct pool_rig_options *options)
{
    *r = (struct pool_rig){.options = *options};
    char where[200];
    if (getcwd(where, sizeof(where)) == NULL)
        rig_die("getcwd", strerror(errno));
    /* The tests' own engines do not need a real disk below: syncs cost nothing there. */
    bool own = options->engine == RIG_FAKE || options->engine == RIG_CUT;
    snprintf(r->dir, sizeof(r->dir), "%s/pool_rig.XXXXXX", own ? scratch_dir() : where);
    if (mkdtemp(r->dir) == NULL)
        rig_die("mkdtemp", strerror(errno));
    snprintf(r->pool_path, sizeof(r->pool_path), "%s/pool.img", r->dir);
    r->random = options->seed == 0 ? 1 : options->seed;
    r->power = options->power;
    if (options->engine == RIG_CUT && r->power == NULL) {
        r->power = power_create(r->random);
        r->disk = cut_disk_create(r->power, r->pool_path, options->pool_bytes);
    }
    pool_rig_open(r);
}

void pool_rig_create(struct pool_rig *r, const struct pool_rig_options *options)
{
    pool_rig_create_bare(r, options);
    struct err e = {.code = 0};
    must(pool_rig_make_pool(r, "p", r->pool_path, options->pool_bytes, &r->pool, &e),
         "pool_create", &e);
}

void pool_rig_close(struct pool_rig *r)
{
    if (r->manager == NULL)
        return;
    for (unsigned i = 0; i < r->options.lane_count; i++) {
        struct rig_lane *l = &r->lanes[i];
        if (r->options.threads) {
            loop_stop(l->loop);
            loop_join(l->loop);
        }
        lane_destroy(l->lane);
        loop_destroy(l->loop);
        *l = (struct rig_lane){.rig = NULL};
    }
    lunmgr_close(r->manager);
    loop_destroy(r->control);
    catalog_close(r->catalog);
    if (r->disk != NULL)
        cut_disk_lose(r->disk);
    r->manager = NULL;
    r->control = NULL;
    r->catalog = NULL;
    r->pool = NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void pool_rig_reopen(struct pool_rig *r)
{
    pool_rig_close(r);
    pool_rig_open(r);
}

void pool_rig_destroy(struct pool_rig *r)
{
    pool_rig_close(r);
    cut_disk_destroy(r->disk);
    if (r->options.power == NULL)
        power_destroy(r->power);
    if (nftw(r->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        rig_die("remove", r->dir);
}

/* ---- Cuts ---------------------------------------------------------------------------
 */

/* The devices, also of tests that have several, then the catalog's. */
static const char *const cut_files[] = {"pool.img", "device1", "device2", "catalog.db",
                                        "catalog.db-wal"};
#define CUT_FILES_CATALOG 3

static void copy_blocks(int in, int out, const char *what)
{
    static uint8_t data[65536];
    off_t at = 0;
    ssize_t n;
    while ((n = pread(in, data, sizeof(data), at)) > 0) {
        bool zeros = data[0] == 0 && memcmp(data, data + 1, (size_t)n - 1) == 0;
        if (!zeros && pwrite(out, data, (size_t)n, at) != n)
            rig_die("copy", what);
        at += n;
    }
    if (n < 0 || ftruncate(out, at) != 0)
        rig_die("copy", what);
}

static void copy_file(const struct pool_rig *r, const char *name)
{
    char from[300], to[300];
    snprintf(from, sizeof(from), "%s/%s", r->dir, name);
    snprintf(to, sizeof(to), "%s/cut/%s", r->dir, name);
    unlink(to);
    AUTO_CLOSE int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0 && errno == ENOENT)
        return;
    AUTO_CLOSE int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (in < 0 || out < 0)
        rig_die("copy", name);
    copy_blocks(in, out, name);
}

static void copy_all(void *arg)
{
    for (size_t i = 0; i < ARRAY_LEN(cut_files); i++)
        copy_file(arg, cut_files[i]);
}

/* On the catalog's writer: nothing is committed or checkpointed meanwhile. */
static int cut_work(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct pool_rig *r = arg;
    char path[300];
    (void)txn;
    (void)e;
    snprintf(path, sizeof(path), "%s/cut", r->dir);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        rig_die("mkdir", path);
    snprintf(path, sizeof(path), "%s/cut/pool.img", r->dir);
    if (r->disk != NULL)
        cut_disk_cut(r->disk, path, copy_all, r);
    else
        copy_all(r);
    return 0;
}

void pool_rig_cut(struct pool_rig *r)
{
    struct err e = {.code = 0};
    must(catalog_write_wait(r->catalog, cut_work, r, &e), "cut", &e);
}

static void take_cut(const struct pool_rig *r, size_t first)
{
    char from[300], to[300];
    for (size_t i = first; i < ARRAY_LEN(cut_files); i++) {
        snprintf(from, sizeof(from), "%s/cut/%s", r->dir, cut_files[i]);
        snprintf(to, sizeof(to), "%s/%s", r->dir, cut_files[i]);
        unlink(to);
        if (rename(from, to) != 0 && errno != ENOENT)
            rig_die("rename", from);
    }
    snprintf(to, sizeof(to), "%s/catalog.db-shm", r->dir);
    unlink(to);
}

void pool_rig_take_cut(struct pool_rig *r)
{
    take_cut(r, 0);
}

void pool_rig_reopen_cut(struct pool_rig *r)
{
    pool_rig_close(r);
    pool_rig_take_cut(r);
    pool_rig_open(r);
}

void pool_rig_take_cut_catalog(struct pool_rig *r)
{
    take_cut(r, CUT_FILES_CATALOG);
}

/* ---- Waiting ------------------------------------------------------------------------
 */

/* Any of them; the catalog's checkpoints are rare. */
static void rig_step_any(struct pool_rig *r)
{
    uint64_t who = draw(&r->random, 5 + r->options.lane_count);
    hand_clock_advance(HAND_STEP_NS);
    if (who >= 5) {
        struct loop *loop = r->lanes[who - 5].loop;
        if (loop != NULL)
            loop_run_once(loop, false);
    } else if (who == 0) {
        loop_run_once(r->control, false);
    } else if (who == 1) {
        catalog_turn_reader(r->catalog);
    } else if (who == 2) {
        if (draw(&r->random, 1 + r->options.commit_delay) == 0)
            catalog_turn_writer(r->catalog, draw(&r->random, 16) == 0);
    } else {
        loop_run_once(lunmgr_home(r->manager), false);
    }
}

static void rig_step_all(struct pool_rig *r)
{
    loop_run_once(r->control, false);
    loop_run_once(lunmgr_home(r->manager), false);
    catalog_turn_reader(r->catalog);
    catalog_turn_writer(r->catalog, false);
}

void pool_rig_step(struct pool_rig *r)
{
    if (r->options.by_hand && r->in_order) {
        rig_step_all(r);
        return;
    }
    if (r->options.by_hand) {
        rig_step_any(r);
        return;
    }
    for (unsigned i = 0; !r->options.threads && i < r->options.lane_count; i++)
        loop_run_once(r->lanes[i].loop, false);
    loop_run_once(r->control, false);
}

void pool_rig_turn(struct pool_rig *r)
{
    for (int turn = 0; turn < TURNS; turn++)
        pool_rig_step(r);
}

static double now_seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void until_by_hand(struct pool_rig *r, bool (*reached)(void *arg), void *arg)
{
    for (uint64_t steps = 0; !reached(arg); steps++) {
        if (steps == HAND_STEPS_MAX)
            rig_die("pool_rig_until", "too many steps");
        pool_rig_step(r);
    }
}

void pool_rig_until(struct pool_rig *r, bool (*reached)(void *arg), void *arg)
{
    if (r->options.by_hand) {
        until_by_hand(r, reached, arg);
        return;
    }
    double end = now_seconds() + WAIT_S_MAX;
    while (!reached(arg)) {
        pool_rig_step(r);
        if (reached(arg))
            return;
        if (now_seconds() > end)
            rig_die("pool_rig_until", "waited too long");
        usleep(20);
    }
}

struct elsewhere {
    struct note note;
    struct pool_rig *rig;
    struct rig_lane *lane;
    void (*home_fn)(struct pool_rig *r, void *arg);
    void (*lane_fn)(struct rig_lane *lane, void *arg);
    void *arg;
    atomic_bool ended;
};

static void elsewhere_run(struct note *note)
{
    struct elsewhere *x = container_of(note, struct elsewhere, note);
    if (x->home_fn != NULL)
        x->home_fn(x->rig, x->arg);
    else
        x->lane_fn(x->lane, x->arg);
    atomic_store(&x->ended, true);
}

static bool elsewhere_ended(void *arg)
{
    return atomic_load(&((struct elsewhere *)arg)->ended);
}

void pool_rig_at_home(struct pool_rig *r, void (*fn)(struct pool_rig *r, void *arg),
                      void *arg)
{
    struct elsewhere x = {.note.run = elsewhere_run, .rig = r, .home_fn = fn, .arg = arg};
    loop_post(lunmgr_home(r->manager), &x.note);
    pool_rig_until(r, elsewhere_ended, &x);
}

void pool_rig_at_lane(struct pool_rig *r, unsigned lane,
                      void (*fn)(struct rig_lane *lane, void *arg), void *arg)
{
    struct elsewhere x = {
        .note.run = elsewhere_run, .lane = &r->lanes[lane], .lane_fn = fn, .arg = arg};
    loop_post(r->lanes[lane].loop, &x.note);
    pool_rig_until(r, elsewhere_ended, &x);
}

/* ---- Rounds -------------------------------------------------------------------------
 */

static void rig_round_on_done(struct round_wait *wait)
{
    container_of(wait, struct rig_round, wait)->ended = true;
}

static bool rig_round_ended(void *arg)
{
    return ((struct rig_round *)arg)->ended;
}

void rig_round_start(struct pool_rig *r, struct rig_round *round)
{
    *round = (struct rig_round){
        .wait = {.inbox = loop_inbox(r->control), .done = rig_round_on_done}};
    round_join(r->pool, &round->wait);
}

int rig_round_wait(struct pool_rig *r, struct rig_round *round)
{
    pool_rig_until(r, rig_round_ended, round);
    return round->wait.rc;
}

int rig_round(struct pool_rig *r)
{
    struct rig_round round;
    rig_round_start(r, &round);
    return rig_round_wait(r, &round);
}

static bool is_settled(void *arg)
{
    struct pool_rig *r = arg;
    bool settled =
        atomic_load(&r->pool->background_count) == 0 && limbo_count(r->pool) == 0;
    if (!settled)
        round_want(r->pool);
    return settled;
}

void pool_rig_settle(struct pool_rig *r)
{
    pool_rig_until(r, is_settled, r);
}

static void count_free(struct pool_rig *r, void *arg)
{
    *(uint64_t *)arg = pool_free_extents(r->pool) + limbo_discarding(r->pool);
}

uint64_t pool_rig_free_extents(struct pool_rig *r)
{
    uint64_t count;
    pool_rig_at_home(r, count_free, &count);
    return count;
}

static bool is_checked(void *arg)
{
    return atomic_load(&((struct pool_rig *)arg)->pool->check_count) == 0;
}

void pool_rig_await_checks(struct pool_rig *r)
{
    pool_rig_until(r, is_checked, r);
}
