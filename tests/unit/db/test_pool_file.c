/* SPDX-License-Identifier: Apache-2.0 */
/* A pool's file has all of the pool and nothing else; it is stored under numbers that are
 * free, and what comes of it is the same pool: written again it is the same file. What
 * fails changes nothing; what is here already is told. */
#include "rig.h"

#include "db/pool_copy.h"
#include "db/pool_file.h"
#include "fault_vfs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "moving.pool"

static struct rig *a, *b; /* the box that it leaves, the one that it comes to */

/* ---- Identities: the box's letter, then the serial --------------------------------- */

static void make(const void *box, uint64_t naa_serial, uint8_t naa[CATALOG_NAA_BYTES])
{
    memset(naa, 0, CATALOG_NAA_BYTES);
    naa[0] = *(const uint8_t *)box;
    memcpy(naa + 8, &naa_serial, sizeof(naa_serial));
}

static bool serial_of(const void *box, const uint8_t naa[CATALOG_NAA_BYTES],
                      uint64_t *naa_serial)
{
    memcpy(naa_serial, naa + 8, sizeof(*naa_serial));
    return naa[0] == *(const uint8_t *)box;
}

static const struct identity_rule rule_of_a = {"a", make, serial_of};
static const struct identity_rule rule_of_b = {"b", make, serial_of};

/* ---- Two boxes --------------------------------------------------------------------- */

static int setup(void **state)
{
    (void)state;
    fault_vfs_disarm();
    return rig_setup_open((void **)&a) != 0 || rig_setup_open((void **)&b) != 0;
}

static int teardown(void **state)
{
    (void)state;
    fault_vfs_disarm();
    return rig_teardown((void **)&a) != 0 || rig_teardown((void **)&b) != 0;
}

static int write_in(struct rig *r, catalog_work_fn work, void *arg)
{
    struct err e = {0};
    return catalog_write_wait(r->catalog, work, arg, &e);
}

/* So many layers, devices and volumes before those of the pool, that all numbers differ.
 */
static int work_others(struct catalog_txn *txn, void *arg, struct err *e)
{
    const char *prefix = arg;
    char id[32], name[32];
    struct pool_row pool = sample_pool("", "");
    snprintf(pool.id, sizeof(pool.id), "%s-pool", prefix);
    snprintf(pool.name, sizeof(pool.name), "%s-own", prefix);
    int rc = pool_row_add(txn, &pool, e);
    for (unsigned i = 1; rc == 0 && i <= 3; i++) {
        snprintf(id, sizeof(id), "%s-d%u", prefix, i);
        struct device_row device = sample_device(id, pool.id, i);
        rc = device_row_add(txn, &device, e);
    }
    for (unsigned i = 1; rc == 0 && i <= 5; i++) {
        struct layer_row layer = sample_layer(pool.id, 0);
        rc = layer_row_add(txn, &layer, e);
        snprintf(id, sizeof(id), "%s-v%u", prefix, i);
        snprintf(name, sizeof(name), "%s-vol%u", prefix, i);
        struct volume_row volume = sample_volume(id, name, layer.id);
        memcpy(volume.pool_id, pool.id, sizeof(volume.pool_id));
        volume.naa_serial = i;
        if (rc == 0)
            rc = volume_row_add(txn, &volume, e);
        const struct word_change word = {extent_key(layer.id, 3), 0x000800000005ffff + i};
        const struct round_changes round = {.words = &word, .word_count = 1};
        if (rc == 0)
            rc = round_store(txn, &round, e);
    }
    struct box_row box = {.naa_serial = 50, .generation = 1};
    snprintf(box.id, sizeof(box.id), "%s", prefix);
    return rc != 0 ? rc : box_set(txn, &box, e);
}

/* Layers of the pool: a base, two on it in line, and a clone's. */
enum { BASE, MIDDLE, TOP, CLONE, LAYERS };
static uint32_t layers[LAYERS];

static int add_layers(struct catalog_txn *txn, struct err *e)
{
    const int below[LAYERS] = {-1, BASE, MIDDLE, BASE};
    int rc = 0;
    for (int i = 0; rc == 0 && i < LAYERS; i++) {
        struct layer_row row = sample_layer("p1", below[i] < 0 ? 0 : layers[below[i]]);
        rc = layer_row_add(txn, &row, e);
        layers[i] = row.id;
    }
    return rc;
}

static int add_reservation(struct catalog_txn *txn, struct err *e)
{
    AUTO_FREE struct kept_reservation *kept =
        calloc(1, sizeof(*kept) + 2 * sizeof(kept->list[0]));
    if (kept == NULL)
        return err_oom(e);
    kept->type = RESERVATION_WRITE_REGISTRANTS;
    kept->holder = 1;
    kept->count = 2;
    for (uint32_t i = 0; i < 2; i++) {
        struct registration *r = &kept->list[i];
        snprintf(r->nexus.initiator, sizeof(r->nexus.initiator), "iqn.h%u", i);
        snprintf(r->nexus.target, sizeof(r->nexus.target), "iqn.t");
        r->key = ~(uint64_t)i;
    }
    return reservation_row_set(txn, "v", kept, e);
}

static int add_volumes(struct catalog_txn *txn, struct err *e)
{
    struct volume_row v = sample_volume("v", "web", layers[TOP]);
    struct volume_row s = sample_volume("0s", "monday", layers[MIDDLE]);
    struct volume_row c = sample_volume("c", "clone", layers[CLONE]);
    struct label_row label = {.key = "who", .value = "me"};
    const struct modes modes = {.write_protect = true};
    const struct qos qos = {.of = {7}};
    s.kind = VOLUME_SNAPSHOT;
    snprintf(s.origin, sizeof(s.origin), "v");
    snprintf(s.group, sizeof(s.group), "g");
    snprintf(c.origin, sizeof(c.origin), "0s");
    c.trashed_s = 99;
    int rc = volume_row_add(txn, &v, e);
    if (rc == 0)
        rc = volume_row_add(txn, &s, e);
    if (rc == 0)
        rc = volume_row_add(txn, &c, e);
    if (rc == 0)
        rc = label_rows_set(txn, "0s", &label, 1, e);
    if (rc == 0)
        rc = mode_row_set(txn, "v", &modes, e);
    if (rc == 0)
        rc = add_reservation(txn, e);
    return rc != 0 ? rc : qos_row_set(txn, QOS_OF_VOLUME, "v", &qos, e);
}

static uint64_t word_at(int layer, uint32_t leaf)
{
    return 0x000800000005ffff + ((uint64_t)layer << 20) + ((uint64_t)leaf << 30);
}

#define LEAVES 40 /* of each layer */

static int add_words(struct catalog_txn *txn, struct err *e)
{
    static struct word_change words[LAYERS * LEAVES];
    for (unsigned i = 0; i < LAYERS * LEAVES; i++)
        words[i] =
            (struct word_change){extent_key(layers[i / LEAVES], i % LEAVES * LEAF_WORDS),
                                 word_at((int)(i / LEAVES), i % LEAVES)};
    const struct round_changes round = {.words = words, .word_count = LAYERS * LEAVES};
    return round_store(txn, &round, e);
}

static int work_pool(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct pool_row pool = sample_pool("p1", "moving");
    struct device_row d1 = sample_device("d1", "p1", 1),
                      d2 = sample_device("d2", "p1", 4);
    (void)arg;
    int rc = pool_row_add(txn, &pool, e);
    if (rc == 0)
        rc = device_row_add(txn, &d1, e);
    if (rc == 0)
        rc = device_row_add(txn, &d2, e);
    if (rc == 0)
        rc = add_layers(txn, e);
    if (rc == 0)
        rc = add_volumes(txn, e);
    if (rc == 0)
        rc = add_words(txn, e);
    struct share_change share = {
        .device_no = d2.no, .extent = 77, .extents = 3, .change = 2};
    static struct bitmap_change bitmaps[2];
    bitmaps[0] = (struct bitmap_change){.device_no = d1.no, .free_extents = 5};
    bitmaps[1] = (struct bitmap_change){.device_no = d2.no, .gib = 3, .free_extents = 6};
    bitmaps[1].bits[9] = 0x55;
    const struct round_changes round = {
        .bitmaps = bitmaps, .bitmap_count = 2, .shares = &share, .share_count = 1};
    return rc != 0 ? rc : round_store(txn, &round, e);
}

static void fill(void)
{
    char others_a[] = "a", others_b[] = "b";
    assert_int_equal(write_in(a, work_others, others_a), 0);
    assert_int_equal(write_in(a, work_pool, NULL), 0);
    assert_int_equal(write_in(b, work_others, others_b), 0);
}

/* ---- Going and coming -------------------------------------------------------------- */

struct going {
    const struct identity_rule *rule;
    const char *path;
};

static int work_write(struct catalog_txn *txn, void *arg, struct err *e)
{
    const struct going *g = arg;
    return pool_file_write(txn, "p1", true, g->rule, g->path, e);
}

static int work_remove(struct catalog_txn *txn, void *arg, struct err *e)
{
    (void)arg;
    return pool_rows_remove(txn, "p1", e);
}

static int write_file(struct rig *r, const struct identity_rule *rule, const char *path,
                      struct err *e)
{
    struct going g = {rule, path};
    return catalog_read_wait(r->catalog, work_write, &g, e);
}

struct coming {
    struct pool_file *file;
    struct pool_file_info info;
    struct device_row devices[2];
    struct pool_arrival arrival;
};

static int work_store(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct coming *c = arg;
    return pool_file_store(c->file, txn, &c->arrival, e);
}

static void come_begin(struct coming *c, const char *path)
{
    assert_int_equal(pool_file_open(path, &c->file, NULL), 0);
    pool_file_describe(c->file, &c->info);
    assert_int_equal(c->info.device_count, 2);
    for (unsigned i = 0; i < 2; i++) {
        c->devices[i] = c->info.devices[i];
        c->devices[i].generation++;
        snprintf(c->devices[i].path, sizeof(c->devices[i].path), "/moved/%u", i);
    }
    c->arrival = (struct pool_arrival){
        .name = "moved", .first_layer = 100, .devices = c->devices, .rule = &rule_of_b};
}

static int come(struct rig *r, const struct pool_arrival *changed, struct err *e)
{
    struct coming c;
    come_begin(&c, rig_path(a, FILE_NAME));
    if (changed != NULL) {
        c.arrival.name = changed->name;
        c.arrival.rule = changed->rule;
    }
    int rc = catalog_write_wait(r->catalog, work_store, &c, e);
    pool_file_close(c.file);
    return rc;
}

static int work_number(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct {
        const char *sql;
        int64_t number;
    } *ask = arg;
    return txn_query_int(txn, ask->sql, &ask->number, e);
}

static int64_t number(struct rig *r, const char *sql)
{
    struct {
        const char *sql;
        int64_t number;
    } ask = {sql, -1};
    assert_int_equal(catalog_read_wait(r->catalog, work_number, &ask, NULL), 0);
    return ask.number;
}

/* ---- The same pool ----------------------------------------------------------------- */

/* Rows of the one that the other has not, without columns that are the box's. */
static int64_t differences(const char *path, const char *other, const char *table)
{
    static const struct {
        const char *table, *columns;
    } own[] = {{"pool", "id, created_s"},
               {"device", "no, id, pool_id, slot, extents, evacuation"},
               {"volume",
                "id, name, pool_id, top_layer, size_bytes, block_bytes, created_s,"
                " snapshot_of, snapshot_group, clone_of, trashed_s"}};
    const char *columns = "*";
    char sql[1024];
    int64_t count = -1;
    struct catalog_txn txn;
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (strcmp(own[i].table, table) == 0)
            columns = own[i].columns;
    assert_int_equal(txn_open_reader(&txn, path, NULL), 0);
    snprintf(sql, sizeof(sql), "ATTACH '%s' AS other", other);
    assert_int_equal(txn_exec(&txn, sql, NULL), 0);
    snprintf(
        sql, sizeof(sql),
        "SELECT count(*) FROM (SELECT %s FROM main.%s EXCEPT SELECT %s FROM other.%s)",
        columns, table, columns, table);
    assert_int_equal(txn_query_int(&txn, sql, &count, NULL), 0);
    txn_close(&txn);
    return count;
}

static void assert_same_pool(const char *one, const char *two)
{
    for (size_t i = 0; pool_copy_table(i) != NULL; i++) {
        assert_int_equal(differences(one, two, pool_copy_table(i)), 0);
        assert_int_equal(differences(two, one, pool_copy_table(i)), 0);
    }
    assert_int_equal(differences(one, two, "leaf"), 0);
    assert_int_equal(differences(two, one, "leaf"), 0);
}

static int work_words(struct catalog_txn *txn, void *arg, struct err *e)
{
    unsigned *same = arg;
    uint64_t words[LEAF_WORDS];
    for (uint32_t i = 0; i < LAYERS * LEAVES; i++) {
        uint64_t first = extent_key(100 + i / LEAVES, i % LEAVES * LEAF_WORDS);
        int rc = leaf_load(txn, leaf_key_of(first), words, e);
        if (rc != 0)
            return rc;
        *same += words[0] == word_at((int)(i / LEAVES), i % LEAVES) && words[1] == 0;
    }
    return 0;
}

static void a_pool_is_the_same_elsewhere(void **state)
{
    unsigned same = 0;
    char again[128];
    struct err e = {0};
    (void)state;
    fill();
    assert_int_equal(write_file(a, &rule_of_a, rig_path(a, FILE_NAME), &e), 0);
    assert_int_equal(come(b, NULL, &e), 0);
    assert_int_equal(catalog_read_wait(b->catalog, work_words, &same, NULL), 0);
    assert_int_equal(same, LAYERS * LEAVES);
    assert_int_equal(number(b, "SELECT top_layer FROM volume WHERE id = 'v'"), 102);
    assert_int_equal(number(b, "SELECT parent FROM layer WHERE id = 103"), 100);
    assert_int_equal(number(b, "SELECT min(no) FROM device WHERE pool_id = 'p1'"), 4);
    assert_int_equal(number(b, "SELECT device_no FROM share WHERE extent = 77"), 5);
    assert_int_equal(number(b, "SELECT count FROM share WHERE extent = 77"), 3);
    assert_int_equal(
        number(b, "SELECT free_extents FROM bitmap WHERE key = (5 << 21) + 3"), 6);
    assert_int_equal(number(b, "SELECT generation % 2 FROM device WHERE id = 'd2'"), 1);
    assert_int_equal(number(b, "SELECT count(*) FROM pool WHERE name = 'moved'"), 1);
    assert_int_equal(number(b, "SELECT naa_serial FROM box"), 53);
    assert_int_equal(number(b, "SELECT count(*) FROM volume WHERE naa_serial > 50"), 3);
    snprintf(again, sizeof(again), "%s", rig_path(b, FILE_NAME));
    assert_int_equal(write_file(b, &rule_of_b, again, &e), 0);
    assert_same_pool(rig_path(a, FILE_NAME), again);
}

/* Deltas are pending, and are folded after. */
static void the_rows_of_a_pool_leave_whole(void **state)
{
    (void)state;
    fill();
    assert_true(number(a, "SELECT count(*) FROM delta") > 0);
    assert_int_equal(write_in(a, work_remove, NULL), 0);
    for (size_t i = 0; pool_copy_table(i) != NULL; i++) {
        static const char *const left[][2] = {
            {"pool", "1"}, {"device", "3"}, {"layer", "5"}, {"volume", "5"}};
        char sql[64];
        int64_t want = 0;
        for (size_t k = 0; k < ARRAY_LEN(left); k++)
            if (strcmp(left[k][0], pool_copy_table(i)) == 0)
                want = left[k][1][0] - '0';
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", pool_copy_table(i));
        assert_int_equal(number(a, sql), want);
    }
    rig_close(a);
    rig_open(a); /* a stop folds */
    while (number(a, "SELECT count(*) FROM delta") > 0)
        usleep(10000);
    assert_int_equal(number(a, "SELECT count(*) FROM leaf"), 5);
}

/* ---- What is left behind or forgotten ---------------------------------------------- */

static bool is_known(const char *table)
{
    static const char *const boxes[] = {
        "box",   "host",  "initiator",       "auth",       "mapping",
        "token", "audit", "replay",          "job",        "host_qos",
        "leaf",  "delta", "sqlite_sequence", "port_group", "volume_copy",
        NULL};
    for (size_t i = 0; boxes[i] != NULL; i++)
        if (strcmp(boxes[i], table) == 0)
            return true;
    for (size_t i = 0; pool_copy_table(i) != NULL; i++)
        if (strcmp(pool_copy_table(i), table) == 0)
            return true;
    return false;
}

static int table_look(void *arg, int columns, char **values, char **names)
{
    (void)columns;
    (void)names;
    if (!is_known(values[0]))
        snprintf(arg, 64, "%.63s", values[0]);
    return 0;
}

static void every_table_goes_along_or_is_the_boxs(void **state)
{
    char unknown[64] = "";
    sqlite3 *db = NULL;
    (void)state;
    assert_int_equal(sqlite3_open(rig_path(a, "catalog.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "SELECT name FROM sqlite_schema WHERE type = 'table'",
                                  table_look, unknown, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    assert_string_equal(unknown, ""); /* pool_copy.c wants to hear of it */
}

/* ---- What is here already ---------------------------------------------------------- */

static void what_is_here_is_refused(void **state)
{
    struct err e = {0};
    (void)state;
    fill();
    assert_int_equal(write_file(a, &rule_of_a, rig_path(a, FILE_NAME), &e), 0);
    assert_int_equal(come(a, NULL, &e), -EEXIST);
    assert_string_equal(e.field, "path");
    const struct pool_arrival named = {.name = "b-own", .rule = &rule_of_b};
    assert_int_equal(come(b, &named, &e), -EEXIST);
    assert_string_equal(e.field, "name");
    rig_close(b);
    rig_sql(rig_path(b, "catalog.db"),
            "UPDATE volume SET name = 'web' WHERE id = 'b-v1'");
    rig_open(b);
    assert_int_equal(come(b, NULL, &e), -EEXIST);
    assert_string_equal(e.field, "volumes");
    assert_non_null(strstr(e.text, ": web"));
    rig_close(b);
    rig_sql(rig_path(b, "catalog.db"), "UPDATE volume SET name = 'x', id = 'v'"
                                       " WHERE id = 'b-v1'");
    rig_open(b);
    assert_int_equal(come(b, NULL, &e), -EEXIST);
    assert_non_null(strstr(e.text, "(v)"));
    rig_close(b);
    rig_sql(rig_path(b, "catalog.db"),
            "UPDATE volume SET id = 'b-v1' WHERE id = 'v';"
            "UPDATE device SET path = '/moved/1' WHERE no = 2");
    rig_open(b);
    assert_int_equal(come(b, NULL, &e), -EEXIST);
    assert_string_equal(e.field, "devices");
    assert_int_equal(number(b, "SELECT count(*) FROM pool"), 1);
    assert_int_equal(number(b, "SELECT naa_serial FROM box"), 50);
}

/* The box has the exporter's rule (it came from the same image), and a volume of the
 * serial; or has handed out none as high yet. */
static void an_identity_is_there_once(void **state)
{
    struct err e = {0};
    const struct pool_arrival same_rule = {.name = "moved", .rule = &rule_of_a};
    (void)state;
    fill();
    int64_t serial = number(a, "SELECT naa_serial FROM volume WHERE id = 'v'");
    char sql[128];
    assert_int_equal(write_file(a, &rule_of_a, rig_path(a, FILE_NAME), &e), 0);
    rig_close(b);
    snprintf(sql, sizeof(sql), "UPDATE volume SET naa_serial = %lld WHERE id = 'b-v2'",
             (long long)serial);
    rig_sql(rig_path(b, "catalog.db"), sql);
    rig_open(b);
    assert_int_equal(come(b, &same_rule, &e), -EEXIST);
    assert_non_null(strstr(e.text, "b-vol2"));
    rig_close(b);
    rig_sql(rig_path(b, "catalog.db"),
            "UPDATE volume SET naa_serial = 2 WHERE id = 'b-v2'");
    rig_open(b);
    assert_int_equal(come(b, &same_rule, &e), 0);
    assert_true(number(b, "SELECT naa_serial FROM box") >= serial + 3);
    /* and by a row */
    assert_int_equal(number(b, "SELECT count(*) FROM identity"), 3);
}

/* ---- Faults ------------------------------------------------------------------------ */

static void a_failed_write_leaves_no_file(void **state)
{
    struct err e = {0};
    int nth = 0, rc;
    (void)state;
    fill();
    do {
        fault_vfs_arm_path(FILE_NAME, FAULT_WRITE, nth++, 1, SQLITE_IOERR_WRITE);
        rc = write_file(a, &rule_of_a, rig_path(a, FILE_NAME), &e);
        assert_in_range(nth, 1, 2000);
        assert_true((rc == 0) == !fault_vfs_failed());
        assert_int_equal(access(rig_path(a, FILE_NAME), F_OK), rc == 0 ? 0 : -1);
    } while (rc != 0);
    assert_true(nth > 10);
    fault_vfs_disarm();
    assert_int_equal(come(b, NULL, &e), 0);
}

static void failed_steps_change_nothing(void **state)
{
    struct err e = {0};
    int nth = 0, rc;
    (void)state;
    fill();
    assert_int_equal(write_file(a, &rule_of_a, rig_path(a, FILE_NAME), &e), 0);
    do {
        fault_vfs_arm_path("catalog.db", FAULT_WRITE | FAULT_SYNC, nth++, 1,
                           SQLITE_IOERR_WRITE);
        rc = come(b, NULL, &e);
        fault_vfs_disarm();
        assert_in_range(nth, 1, 2000);
        assert_int_equal(number(b, "SELECT count(*) FROM pool"), rc == 0 ? 2 : 1);
        assert_int_equal(number(b, "SELECT count(*) FROM leaf WHERE key >> 23 >= 100"),
                         rc == 0 ? LAYERS * LEAVES : 0);
    } while (rc != 0);
    nth = 0;
    do {
        fault_vfs_arm_path("catalog.db", FAULT_WRITE | FAULT_SYNC, nth++, 1,
                           SQLITE_IOERR_WRITE);
        rc = write_in(a, work_remove, NULL);
        fault_vfs_disarm();
        assert_in_range(nth, 1, 2000);
        assert_int_equal(number(a, "SELECT count(*) FROM pool"), rc == 0 ? 1 : 2);
    } while (rc != 0);
}

/* ---- No pool's file ---------------------------------------------------------------- */

static void flip(const char *path, long at)
{
    FILE *f = fopen(path, "r+");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    int byte = fgetc(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    fputc(byte ^ 1, f);
    fclose(f);
}

static void a_damaged_file_is_refused(void **state)
{
    struct pool_file *file = NULL;
    struct err e = {0};
    (void)state;
    fill();
    const char *path = rig_path(a, FILE_NAME);
    assert_int_equal(write_file(a, &rule_of_a, path, &e), 0);
    long bytes = rig_file_bytes(a, FILE_NAME);
    for (long at = 0; at < bytes; at += bytes / 97) {
        flip(path, at);
        assert_int_equal(pool_file_open(path, &file, &e), -EUCLEAN);
        assert_string_equal(e.field, "path");
        flip(path, at);
    }
    assert_int_equal(pool_file_open(path, &file, &e), 0);
    pool_file_close(file);
    assert_int_equal(truncate(path, bytes - 1), 0);
    assert_int_equal(pool_file_open(path, &file, &e), -EUCLEAN);
    assert_int_equal(pool_file_open(rig_path(b, "catalog.db"), &file, &e), -EUCLEAN);
    assert_int_equal(pool_file_open(rig_path(b, "nothing"), &file, &e), -ENOENT);
    assert_int_equal(pool_file_open(b->dir, &file, &e), -EUCLEAN);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(a_pool_is_the_same_elsewhere),
        FILE_TEST(the_rows_of_a_pool_leave_whole),
        FILE_TEST(every_table_goes_along_or_is_the_boxs),
        FILE_TEST(what_is_here_is_refused),
        FILE_TEST(an_identity_is_there_once),
        FILE_TEST(a_failed_write_leaves_no_file),
        FILE_TEST(failed_steps_change_nothing),
        FILE_TEST(a_damaged_file_is_refused),
    };
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
