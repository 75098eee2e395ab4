/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the audit log and of idempotency keys: the chain holds, a key is taken
 * once for as long as it counts, and the rows are bounded. */
#include "rows_rig.h"

#include "db/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct err last;

/* ---- The audit log ----------------------------------------------------------------- */

static struct audit_row sample_entry(const char *who, const char *request)
{
    return (struct audit_row){.fields = {.time_ms = 1700000000123,
                                         .who = who,
                                         .from = "",
                                         .operation = "volume_create",
                                         .subject = "web01",
                                         .subject_id = "v1",
                                         .request = request}};
}

struct chain {
    uint64_t seqs[ROWS_MAX];
    char who[ROWS_MAX][32];
    size_t count;
    uint8_t prev[DIGEST_BYTES];
    bool broken;
};

static int follow(const struct audit_row *row, void *arg)
{
    struct chain *c = arg;
    uint8_t hash[DIGEST_BYTES];
    if (c->count == ROWS_MAX)
        return -E2BIG;
    audit_hash(c->prev, &row->fields, hash);
    c->broken |= memcmp(hash, row->hash, sizeof(hash)) != 0;
    memcpy(c->prev, row->hash, sizeof(c->prev));
    snprintf(c->who[c->count], sizeof(c->who[0]), "%s", row->fields.who);
    c->seqs[c->count++] = row->fields.seq;
    return 0;
}

static void entries_make_one_chain(void **state)
{
    struct rig *r = *state;
    struct chain c = {.count = 0};
    uint64_t seq = 99;
    uint8_t hash[DIGEST_BYTES];
    static const char *const who[] = {"local uid 0", "token ci", ""};
    assert_int_equal(audit_row_head(&r->txn, &seq, hash, NULL), 0);
    assert_int_equal(seq, 0);
    assert_memory_equal(hash, c.prev, sizeof(hash));
    for (size_t i = 0; i < ARRAY_LEN(who); i++) {
        struct audit_row row = sample_entry(who[i], i == 1 ? "" : "{\"size\":1}");
        assert_int_equal(audit_row_add(&r->txn, &row, NULL), 0);
        assert_int_equal(row.fields.seq, i + 1);
        memcpy(hash, row.hash, sizeof(hash));
    }
    assert_int_equal(audit_row_each(&r->txn, 0, 100, follow, &c, NULL), 0);
    assert_int_equal(c.count, 3);
    assert_false(c.broken);
    for (size_t i = 0; i < ARRAY_LEN(who); i++)
        assert_string_equal(c.who[i], who[i]);
    assert_memory_equal(c.prev, hash, sizeof(hash));
    assert_int_equal(audit_row_head(&r->txn, &seq, hash, NULL), 0);
    assert_int_equal(seq, 3);
    assert_memory_equal(hash, c.prev, sizeof(hash));
}

static void a_part_of_the_log_is_listed(void **state)
{
    struct rig *r = *state;
    struct chain c = {.count = 0};
    for (int i = 0; i < 5; i++) {
        struct audit_row row = sample_entry("x", "");
        assert_int_equal(audit_row_add(&r->txn, &row, NULL), 0);
    }
    assert_int_equal(audit_row_each(&r->txn, 2, 2, follow, &c, NULL), 0);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.seqs[0], 3);
    assert_int_equal(c.seqs[1], 4);
    c.count = 0;
    assert_int_equal(audit_row_each(&r->txn, 5, 9, follow, &c, NULL), 0);
    assert_int_equal(audit_row_each(&r->txn, UINT64_MAX, 9, follow, &c, NULL), 0);
    assert_int_equal(c.count, 0);
}

static void a_changed_entry_breaks_the_chain(void **state)
{
    struct rig *r = *state;
    struct chain c = {.count = 0};
    for (int i = 0; i < 3; i++) {
        struct audit_row row = sample_entry("x", "");
        assert_int_equal(audit_row_add(&r->txn, &row, NULL), 0);
    }
    assert_int_equal(
        txn_exec(&r->txn, "UPDATE audit SET subject = 'web02' WHERE seq = 2", NULL), 0);
    assert_int_equal(audit_row_each(&r->txn, 0, 100, follow, &c, NULL), 0);
    assert_true(c.broken);
}

/* What comes behind a NUL would be in no hash. */
static void a_text_with_a_nul_is_refused(void **state)
{
    struct rig *r = *state;
    struct chain c = {.count = 0};
    struct audit_row row = sample_entry("x", "");
    assert_int_equal(audit_row_add(&r->txn, &row, NULL), 0);
    assert_int_equal(
        txn_exec(&r->txn, "UPDATE audit SET who = CAST(x'780079' AS TEXT)", NULL), 0);
    assert_int_equal(audit_row_each(&r->txn, 0, 100, follow, &c, &last), -EUCLEAN);
}

/* ---- Idempotency keys -------------------------------------------------------------- */

#define NOW 1700000000

static const struct replay_bounds bounds = {.expired_s = NOW - 100, .count_max = 1000};

static struct replay_row sample_replay(const char *principal, const char *key,
                                       int64_t created_s)
{
    struct replay_row row = {.created_s = created_s, .fingerprint = {7, 8, 9}};
    snprintf(row.principal, sizeof(row.principal), "%s", principal);
    snprintf(row.key, sizeof(row.key), "%s", key);
    snprintf(row.operation, sizeof(row.operation), "volume_create");
    snprintf(row.subject_id, sizeof(row.subject_id), "v1");
    return row;
}

static int add_replay(struct rig *r, const char *principal, const char *key,
                      int64_t created_s)
{
    struct replay_row row = sample_replay(principal, key, created_s);
    memset(&last, 0, sizeof(last));
    return replay_row_add(&r->txn, &row, &bounds, &last);
}

static int64_t count_replays(struct rig *r)
{
    int64_t count = -1;
    assert_int_equal(txn_query_int(&r->txn, "SELECT count(*) FROM replay", &count, NULL),
                     0);
    return count;
}

static void a_key_is_known_with_its_answer(void **state)
{
    struct rig *r = *state;
    struct replay_row got;
    assert_int_equal(add_replay(r, "token ci", "k1", NOW), 0);
    assert_int_equal(
        replay_row_get(&r->txn, "token ci", "k1", bounds.expired_s, &got, NULL), 0);
    assert_int_equal(got.fingerprint[2], 9);
    assert_int_equal(got.created_s, NOW);
    assert_string_equal(got.operation, "volume_create");
    assert_string_equal(got.subject_id, "v1");
    assert_int_equal(got.status, 0);
    assert_null(got.body);
    assert_int_equal(
        replay_row_answer(&r->txn, "token ci", "k1", 201, "{\"id\":1}", NULL), 0);
    assert_int_equal(
        replay_row_get(&r->txn, "token ci", "k1", bounds.expired_s, &got, NULL), 0);
    assert_int_equal(got.status, 201);
    assert_string_equal(got.body, "{\"id\":1}");
    free(got.body);
    assert_int_equal(replay_row_answer(&r->txn, "token ci", "k1", 204, NULL, NULL), 0);
    assert_int_equal(
        replay_row_get(&r->txn, "token ci", "k1", bounds.expired_s, &got, NULL), 0);
    assert_int_equal(got.status, 204);
    assert_null(got.body);
    assert_refused(replay_row_answer(&r->txn, "token ci", "k2", 201, "", &last), -ENOENT,
                   "");
    assert_refused(replay_row_get(&r->txn, "local", "k1", bounds.expired_s, &got, &last),
                   -ENOENT, "idempotency_key");
}

static void a_key_is_taken_once_by_each_principal(void **state)
{
    struct rig *r = *state;
    assert_int_equal(add_replay(r, "a", "k", NOW), 0);
    assert_int_equal(add_replay(r, "b", "k", NOW), 0);
    assert_int_equal(add_replay(r, "a", "k", NOW), -EEXIST);
    assert_string_equal(last.field, "idempotency_key");
    assert_refused(replay_row_check(&r->txn, "a", "k", bounds.expired_s, &last), -EEXIST,
                   "idempotency_key");
    assert_int_equal(replay_row_check(&r->txn, "a", "K", bounds.expired_s, NULL), 0);
    assert_int_equal(count_replays(r), 2);
}

static void an_expired_key_is_free_again(void **state)
{
    struct rig *r = *state;
    struct replay_row got;
    assert_int_equal(add_replay(r, "a", "k", bounds.expired_s), 0);
    assert_refused(replay_row_get(&r->txn, "a", "k", bounds.expired_s, &got, &last),
                   -ENOENT, "idempotency_key");
    assert_int_equal(replay_row_check(&r->txn, "a", "k", bounds.expired_s, NULL), 0);
    assert_int_equal(add_replay(r, "a", "k", NOW), 0);
    assert_int_equal(count_replays(r), 1);
    assert_int_equal(add_replay(r, "a", "k", NOW), -EEXIST);
}

static void expired_keys_go_a_few_at_a_time(void **state)
{
    struct rig *r = *state;
    char key[16];
    const struct replay_bounds none = {.expired_s = 0, .count_max = 1000};
    for (int i = 0; i < 2 * REPLAY_STEP; i++) {
        snprintf(key, sizeof(key), "old%d", i);
        struct replay_row row = sample_replay("a", key, NOW - 200 + i);
        assert_int_equal(replay_row_add(&r->txn, &row, &none, NULL), 0);
    }
    assert_int_equal(add_replay(r, "a", "new", NOW), 0);
    assert_int_equal(count_replays(r), REPLAY_STEP + 1);
    assert_int_equal(replay_row_check(&r->txn, "a", "old15", 0, NULL), -EEXIST);
    assert_int_equal(replay_row_check(&r->txn, "a", "old7", 0, NULL), 0);
    assert_int_equal(add_replay(r, "a", "newer", NOW), 0);
    assert_int_equal(count_replays(r), 2);
}

static void the_oldest_make_room(void **state)
{
    struct rig *r = *state;
    char key[16];
    const struct replay_bounds four = {.expired_s = 0, .count_max = 4};
    for (int i = 0; i < 12; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        struct replay_row row = sample_replay("a", key, NOW);
        assert_int_equal(replay_row_add(&r->txn, &row, &four, NULL), 0);
        assert_true(count_replays(r) <= 4);
    }
    assert_int_equal(count_replays(r), 4);
    assert_int_equal(replay_row_check(&r->txn, "a", "k7", 0, NULL), 0);
    assert_int_equal(replay_row_check(&r->txn, "a", "k8", 0, NULL), -EEXIST);
}

static void a_key_that_cannot_be_is_refused(void **state)
{
    struct rig *r = *state;
    struct replay_row row = sample_replay("a", "", NOW);
    assert_refused(replay_row_add(&r->txn, &row, &bounds, &last), -EINVAL,
                   "idempotency_key");
    row = sample_replay("", "k", NOW);
    assert_refused(replay_row_add(&r->txn, &row, &bounds, &last), -EINVAL, "principal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(entries_make_one_chain),
        ROW_TEST(a_part_of_the_log_is_listed),
        ROW_TEST(a_changed_entry_breaks_the_chain),
        ROW_TEST(a_text_with_a_nul_is_refused),
        ROW_TEST(a_key_is_known_with_its_answer),
        ROW_TEST(a_key_is_taken_once_by_each_principal),
        ROW_TEST(an_expired_key_is_free_again),
        ROW_TEST(expired_keys_go_a_few_at_a_time),
        ROW_TEST(the_oldest_make_room),
        ROW_TEST(a_key_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
