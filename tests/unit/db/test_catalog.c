/* SPDX-License-Identifier: Apache-2.0 */
/* Open, refuse, close: one owner at a time, nobody else's database, nothing newer; what
 * was committed is there again, after a crash too. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void a_new_catalog_is_empty_and_opens_again(void **state)
{
    struct rig *r = *state;
    rig_open(r);
    assert_int_equal(rig_pool_count(r), 0);
    struct pool_row row = sample_pool("p1", "fast");
    assert_int_equal(catalog_write_wait(r->catalog, work_add_pool, &row, NULL), 0);
    rig_close(r);
    rig_open(r);
    assert_int_equal(rig_pool_count(r), 1);
}

static void close_leaves_one_whole_file(void **state)
{
    struct rig *r = *state;
    rig_open(r);
    struct pool_row row = sample_pool("p1", "fast");
    assert_int_equal(catalog_write_wait(r->catalog, work_add_pool, &row, NULL), 0);
    assert_true(rig_file_bytes(r, "catalog.db-wal") > 0);
    rig_close(r);
    assert_true(rig_file_bytes(r, "catalog.db-wal") <= 0);
    catalog_close(NULL);
}

static void a_second_owner_is_refused_by_pid(void **state)
{
    struct rig *r = *state;
    struct catalog *second = NULL;
    struct catalog_options options = {.dir = r->dir, .reader_count = 1};
    struct err e = {0};
    char pid[32];
    rig_open(r);
    assert_int_equal(catalog_open(&options, &second, &e), -EBUSY);
    assert_null(second);
    snprintf(pid, sizeof(pid), "process %ld ", (long)getpid());
    assert_non_null(strstr(e.text, pid));
    assert_string_equal(e.field, "state_dir");
    assert_int_equal(rig_pool_count(r), 0); /* the first goes on */
    rig_close(r);
    assert_int_equal(catalog_open(&options, &second, &e), 0);
    catalog_close(second);
}

static void a_missing_directory_is_named(void **state)
{
    struct rig *r = *state;
    struct err e = {0};
    assert_int_equal(rig_try_open(r, rig_path(r, "nowhere"), &e), -ENOENT);
    assert_string_equal(e.field, "state_dir");
    assert_non_null(strstr(e.text, "nowhere"));
    assert_null(r->catalog);
}

static void a_reader_count_out_of_range_is_refused(void **state)
{
    struct rig *r = *state;
    struct err e = {0};
    const unsigned counts[] = {0, 9};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        struct catalog_options options = {.dir = r->dir, .reader_count = counts[i]};
        assert_int_equal(catalog_open(&options, &r->catalog, &e), -EINVAL);
        assert_string_equal(e.field, "reader_count");
    }
}

static void a_newer_schema_is_refused_with_both_numbers(void **state)
{
    struct rig *r = *state;
    struct err e = {0};
    rig_open(r);
    rig_close(r);
    rig_sql(rig_path(r, "catalog.db"), "PRAGMA user_version=99");
    assert_int_equal(rig_try_open(r, r->dir, &e), -EPROTO);
    assert_non_null(strstr(e.text, "schema 99"));
    assert_non_null(strstr(e.text, "program's 22"));
    rig_sql(rig_path(r, "catalog.db"), "PRAGMA user_version=22");
    rig_open(r); /* the refusal changed nothing */
}

/* As schema 14 had it, with a pool that shares extents and one that does not. */
static void make_schema_14(struct rig *r)
{
    rig_open(r);
    rig_close(r);
    rig_sql(rig_path(r, "catalog.db"),
            "DROP TABLE volume_copy;"
            "DROP TABLE registration;"
            "DROP TABLE reservation;"
            "DROP TABLE identity;"
            "DROP TABLE port_group;"
            "ALTER TABLE share DROP COLUMN extents;"
            "ALTER TABLE pool DROP COLUMN page_cache;"
            "ALTER TABLE pool DROP COLUMN usage_thresholds;"
            "ALTER TABLE pool DROP COLUMN overcommit_cap_percent;"
            "ALTER TABLE volume DROP COLUMN guaranteed_bytes;"
            "ALTER TABLE layer DROP COLUMN shared_extents;"
            "INSERT INTO pool VALUES ('p', 'p', 0), ('q', 'q', 0);"
            "INSERT INTO device VALUES (1, 'd1', 'p', 1, '/1', 64, 2, 0),"
            " (2, 'd2', 'q', 1, '/2', 64, 2, 0);"
            "INSERT INTO layer VALUES (1, 'p', NULL, 0, 16, 5), (2, 'q', NULL, 0, 16, 7);"
            "INSERT INTO share VALUES (1, 3, 2);"
            "PRAGMA user_version=14");
}

static int see_shared(const struct layer_row *row, void *arg)
{
    uint64_t *shared = arg;
    assert_in_range(row->id, 1, 2);
    shared[row->id - 1] = row->shared_extents;
    return 0;
}

static int work_see_shared(struct catalog_txn *txn, void *arg, struct err *e)
{
    return layer_row_each(txn, see_shared, arg, e);
}

/* Which words are shared was not counted: where any may be, all are taken to be, so that
 * a guarantee holds back too much, never too little. */
static void where_extents_are_shared_all_count_as_such(void **state)
{
    struct rig *r = *state;
    uint64_t shared[2] = {99, 99};
    make_schema_14(r);
    rig_open(r);
    assert_int_equal(catalog_read_wait(r->catalog, work_see_shared, shared, NULL), 0);
    assert_int_equal(shared[0], 5);
    assert_int_equal(shared[1], 0);
}

static void a_foreign_database_is_refused_untouched(void **state)
{
    struct rig *r = *state;
    struct err e = {0};
    rig_sql(rig_path(r, "catalog.db"), "CREATE TABLE theirs (x); PRAGMA user_version=1");
    long bytes = rig_file_bytes(r, "catalog.db");
    assert_int_equal(rig_try_open(r, r->dir, &e), -EUCLEAN);
    assert_non_null(strstr(e.text, "no Ashlar catalog"));
    assert_int_equal(rig_file_bytes(r, "catalog.db"), bytes);
    rig_sql(rig_path(r, "catalog.db"), "INSERT INTO theirs VALUES (1)");
}

static void put_file(const char *path, const char *text)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void a_file_that_is_no_database_is_refused_untouched(void **state)
{
    struct rig *r = *state;
    struct err e = {0};
    char text[4096];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    put_file(rig_path(r, "catalog.db"), text);
    assert_int_equal(rig_try_open(r, r->dir, &e), -EUCLEAN);
    assert_true(e.text[0] != '\0');
    assert_int_equal(rig_file_bytes(r, "catalog.db"), sizeof(text) - 1);
}

static void a_log_without_its_database_is_refused(void **state)
{
    struct rig *r = *state;
    struct err e = {0};
    put_file(rig_path(r, "catalog.db-wal"), "left");
    assert_int_equal(rig_try_open(r, r->dir, &e), -EUCLEAN);
    assert_int_equal(rig_file_bytes(r, "catalog.db"), -1);
    assert_int_equal(rig_file_bytes(r, "catalog.db-wal"), 4);
}

static void a_directory_in_its_place_is_refused(void **state)
{
    struct rig *r = *state;
    assert_int_equal(mkdir(rig_path(r, "catalog.db"), 0700), 0);
    assert_true(rig_try_open(r, r->dir, NULL) < 0);
    assert_int_equal(rmdir(rig_path(r, "catalog.db")), 0);
}

static void its_files_are_the_owners_alone(void **state)
{
    struct rig *r = *state;
    static const char *const names[] = {"catalog.db", "catalog.db-wal", "catalog.db-shm",
                                        "catalog.lock"};
    mode_t before = umask(0);
    put_file(rig_path(r, "catalog.db"), "");
    assert_int_equal(chmod(rig_path(r, "catalog.db"), 0644), 0);
    rig_open(r);
    umask(before);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct stat st;
        assert_int_equal(stat(rig_path(r, names[i]), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

static void what_was_committed_survives_a_crash(void **state)
{
    struct rig *r = *state;
    void *other_state = NULL;
    rig_open(r);
    struct pool_row row = sample_pool("p1", "fast");
    assert_int_equal(catalog_write_wait(r->catalog, work_add_pool, &row, NULL), 0);
    rig_setup(&other_state);
    struct rig *other = other_state;
    rig_copy_file(r, "catalog.db", other->dir);
    rig_copy_file(r, "catalog.db-wal", other->dir);
    rig_open(other);
    int count = rig_pool_count(other);
    rig_teardown(&other_state);
    assert_int_equal(count, 1);
}

/* ---- Deltas ------------------------------------------------------------------------ */

struct one_word {
    uint64_t key, word;
};

static int work_store_word(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct one_word *w = arg;
    struct pool_row pool = sample_pool("p1", "fast");
    struct layer_row layer = sample_layer("p1", 0);
    int rc = pool_row_add(txn, &pool, e);
    if (rc == 0)
        rc = layer_row_add(txn, &layer, e);
    w->key = extent_key(layer.id, 5);
    struct word_change change = {w->key, w->word};
    struct round_changes round = {.words = &change, .word_count = 1};
    return rc != 0 ? rc : round_store(txn, &round, e);
}

static int work_load_word(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct one_word *w = arg;
    uint64_t words[LEAF_WORDS];
    int rc = leaf_load(txn, leaf_key_of(w->key), words, e);
    w->word = words[w->key % LEAF_WORDS];
    return rc;
}

static void what_is_not_folded_survives_a_crash_and_a_stop(void **state)
{
    struct rig *r = *state;
    void *other_state = NULL;
    struct one_word w = {.word = 42};
    rig_open(r);
    assert_int_equal(catalog_write_wait(r->catalog, work_store_word, &w, NULL), 0);
    rig_setup(&other_state);
    struct rig *other = other_state;
    rig_copy_file(r, "catalog.db", other->dir);
    rig_copy_file(r, "catalog.db-wal", other->dir);
    rig_open(other);
    struct one_word crashed = w;
    crashed.word = 0;
    int rc = catalog_read_wait(other->catalog, work_load_word, &crashed, NULL);
    rig_teardown(&other_state);
    assert_int_equal(rc, 0);
    assert_int_equal(crashed.word, 42);
    rig_close(r);
    rig_open(r);
    w.word = 0;
    assert_int_equal(catalog_read_wait(r->catalog, work_load_word, &w, NULL), 0);
    assert_int_equal(w.word, 42);
}

static void a_damaged_delta_is_refused_by_number(void **state)
{
    struct rig *r = *state;
    struct one_word w = {.word = 42};
    struct err e = {0};
    rig_open(r);
    assert_int_equal(catalog_write_wait(r->catalog, work_store_word, &w, NULL), 0);
    rig_close(r);
    rig_sql(rig_path(r, "catalog.db"), "UPDATE delta SET id = 9");
    assert_int_equal(rig_try_open(r, r->dir, &e), -EUCLEAN);
    assert_string_equal(e.text, "catalog: delta 9 of the map is damaged");
    rig_sql(rig_path(r, "catalog.db"), "UPDATE delta SET id = 1");
    rig_open(r);
}

/* Schema 2 kept the map in leaf rows alone. */
static void a_catalog_of_schema_2_keeps_its_map(void **state)
{
    struct rig *r = *state;
    struct one_word w = {.key = extent_key(1, 2)};
    rig_make_schema(r, 2);
    rig_sql(rig_path(r, "catalog.db"),
            "INSERT INTO pool VALUES ('p1', 'fast', 0);"
            "INSERT INTO layer VALUES (1, 'p1', NULL, 0, 256, 3);"
            "INSERT INTO leaf VALUES (0x800000,"
            " x'0100010202000800000005ffff00fab51abfe9')");
    rig_open(r);
    assert_int_equal(catalog_read_wait(r->catalog, work_load_word, &w, NULL), 0);
    assert_int_equal(w.word, 0x000800000005ffff);
    rig_close(r);
    rig_sql(rig_path(r, "catalog.db"),
            "INSERT INTO delta VALUES (1, x''); DELETE FROM delta");
}

static int keep_mapping(const struct mapping_row *row, void *arg)
{
    *(struct mapping_row *)arg = *row;
    return 0;
}

static int work_last_mapping(struct catalog_txn *txn, void *arg, struct err *e)
{
    return mapping_row_each(txn, keep_mapping, arg, e);
}

/* Schema 4 knew the shared target alone. */
static void a_catalog_of_schema_4_keeps_its_mappings(void **state)
{
    struct rig *r = *state;
    struct mapping_row row = {0};
    rig_make_schema(r, 4);
    rig_sql(rig_path(r, "catalog.db"),
            "INSERT INTO pool VALUES ('p1', 'fast', 0);"
            "INSERT INTO layer VALUES (1, 'p1', NULL, 0, 256, 3);"
            "INSERT INTO volume (id, name, pool_id, top_layer, size_bytes, block_bytes,"
            " naa_serial, created_s) VALUES ('v1', 'web', 'p1', 1, 4096, 512, 1, 0);"
            "INSERT INTO host VALUES ('h1', 'hv1', 0);"
            "INSERT INTO mapping VALUES ('m1', 'v1', 'h1', 7, 1, 1700000002)");
    rig_open(r);
    assert_int_equal(catalog_read_wait(r->catalog, work_last_mapping, &row, NULL), 0);
    assert_string_equal(row.id, "m1");
    assert_string_equal(row.volume_id, "v1");
    assert_string_equal(row.host_id, "h1");
    assert_int_equal(row.lun, 7);
    assert_true(row.read_only);
    assert_false(row.own_target);
    assert_int_equal(row.created_s, 1700000002);
}

static int work_get_volume(struct catalog_txn *txn, void *arg, struct err *e)
{
    return volume_row_get(txn, "v1", arg, e);
}

static void a_volume_of_schema_5_has_the_physical_block_that_it_told(void **state)
{
    struct rig *r = *state;
    struct volume_row row;
    rig_make_schema(r, 5);
    rig_sql(rig_path(r, "catalog.db"),
            "INSERT INTO pool VALUES ('p1', 'fast', 0);"
            "INSERT INTO layer VALUES (1, 'p1', NULL, 0, 256, 3);"
            "INSERT INTO volume (id, name, pool_id, top_layer, size_bytes, block_bytes,"
            " naa_serial, created_s) VALUES ('v1', 'v', 'p1', 1, 4096, 512, 1, 0)");
    rig_open(r);
    assert_int_equal(catalog_read_wait(r->catalog, work_get_volume, &row, NULL), 0);
    assert_int_equal(row.block_bytes, 512);
    assert_int_equal(row.physical_bytes, 4096);
}

struct schema_6 { /* what it had, and what is new */
    struct token_row token;
    struct auth auth[2];
    uint64_t audit_seq;
    int64_t hosts;
};

static int keep_token(const struct token_row *row, void *arg)
{
    *(struct token_row *)arg = *row;
    return 0;
}

static int keep_auth(const char *owner, const struct auth *auth, void *arg)
{
    ((struct auth *)arg)[owner[0] == '\0' ? 0 : 1] = *auth;
    return 0;
}

static int work_look_at_schema_6(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct schema_6 *s = arg;
    uint8_t hash[DIGEST_BYTES];
    int rc = token_row_each(txn, keep_token, &s->token, e);
    if (rc == 0)
        rc = auth_row_each(txn, keep_auth, s->auth, e);
    if (rc == 0)
        rc = audit_row_head(txn, &s->audit_seq, hash, e);
    return rc != 0 ? rc : txn_query_int(txn, "SELECT count(*) FROM host", &s->hosts, e);
}

/* All tokens were an admin's, for ever. */
static void a_token_of_schema_6_keeps_what_it_could(void **state)
{
    struct rig *r = *state;
    struct schema_6 s = {.audit_seq = 9};
    rig_make_schema(r, 6);
    rig_sql(rig_path(r, "catalog.db"),
            "INSERT INTO token VALUES ('t1', 'ci', zeroblob(32), 1700000003);"
            "INSERT INTO host VALUES ('h1', 'hv1', 0);"
            "INSERT INTO auth VALUES ('', '', 0, 1, '', x'', '', x'');"
            "INSERT INTO auth VALUES ('h1', '', 1, 0, 'u', zeroblob(12), '', x'');");
    rig_open(r);
    assert_int_equal(catalog_read_wait(r->catalog, work_look_at_schema_6, &s, NULL), 0);
    assert_string_equal(s.token.name, "ci");
    assert_int_equal(s.token.created_s, 1700000003);
    assert_string_equal(s.token.scope, "admin");
    assert_string_equal(s.token.host_id, "");
    assert_int_equal(s.token.expires_s, 0);
    assert_true(s.auth[0].forbid_md5);
    assert_string_equal(s.auth[1].user, "u");
    assert_int_equal(s.auth[1].revision, 0);
    assert_int_equal(s.audit_seq, 0);
    assert_int_equal(s.hosts, 1);
}

static int work_make_newer(struct catalog_txn *txn, void *arg, struct err *e)
{
    (void)arg;
    return txn_exec(txn, "PRAGMA user_version=99", e);
}

static void a_refused_catalog_keeps_its_log(void **state)
{
    struct rig *r = *state;
    void *other_state = NULL;
    rig_open(r);
    assert_int_equal(catalog_write_wait(r->catalog, work_make_newer, NULL, NULL), 0);
    rig_setup(&other_state);
    struct rig *other = other_state;
    rig_copy_file(r, "catalog.db", other->dir);
    rig_copy_file(r, "catalog.db-wal", other->dir);
    long bytes = rig_file_bytes(other, "catalog.db-wal");
    int rc = rig_try_open(other, other->dir, NULL);
    long left = rig_file_bytes(other, "catalog.db-wal");
    rig_teardown(&other_state);
    assert_int_equal(rc, -EPROTO);
    assert_true(bytes > 0);
    assert_int_equal(left, bytes);
}

static int work_write(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct pool_row row = sample_pool("p1", "fast");
    (void)arg;
    return pool_row_add(txn, &row, e);
}

static void a_reader_cannot_write(void **state)
{
    struct rig *r = *state;
    struct err e = {0};
    rig_open(r);
    assert_int_equal(catalog_read_wait(r->catalog, work_write, NULL, &e), -EROFS);
    assert_int_equal(e.code, -EROFS);
    assert_int_equal(rig_pool_count(r), 0);
}

static int work_says_no(struct catalog_txn *txn, void *arg, struct err *e)
{
    (void)txn;
    (void)e;
    return *(int *)arg;
}

static void an_answer_without_words_gets_some(void **state)
{
    struct rig *r = *state;
    struct err e = {0};
    int no = -EPERM, positive = 42;
    rig_open(r);
    assert_int_equal(catalog_write_wait(r->catalog, work_says_no, &no, &e), -EPERM);
    assert_int_equal(e.code, -EPERM);
    assert_string_equal(e.text, "Operation not permitted");
    assert_int_equal(catalog_read_wait(r->catalog, work_says_no, &positive, NULL), 42);
}

#define OPEN_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN_TEST(a_new_catalog_is_empty_and_opens_again),
        OPEN_TEST(close_leaves_one_whole_file),
        OPEN_TEST(a_second_owner_is_refused_by_pid),
        OPEN_TEST(a_missing_directory_is_named),
        OPEN_TEST(a_reader_count_out_of_range_is_refused),
        OPEN_TEST(a_newer_schema_is_refused_with_both_numbers),
        OPEN_TEST(where_extents_are_shared_all_count_as_such),
        OPEN_TEST(a_foreign_database_is_refused_untouched),
        OPEN_TEST(a_file_that_is_no_database_is_refused_untouched),
        OPEN_TEST(a_log_without_its_database_is_refused),
        OPEN_TEST(a_directory_in_its_place_is_refused),
        OPEN_TEST(its_files_are_the_owners_alone),
        OPEN_TEST(what_was_committed_survives_a_crash),
        OPEN_TEST(what_is_not_folded_survives_a_crash_and_a_stop),
        OPEN_TEST(a_damaged_delta_is_refused_by_number),
        OPEN_TEST(a_catalog_of_schema_2_keeps_its_map),
        OPEN_TEST(a_catalog_of_schema_4_keeps_its_mappings),
        OPEN_TEST(a_volume_of_schema_5_has_the_physical_block_that_it_told),
        OPEN_TEST(a_token_of_schema_6_keeps_what_it_could),
        OPEN_TEST(a_refused_catalog_keeps_its_log),
        OPEN_TEST(a_reader_cannot_write),
        OPEN_TEST(an_answer_without_words_gets_some),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
