/* SPDX-License-Identifier: Apache-2.0 */
/* What a change leaves behind: its record is there exactly when the change is, in the
 * order of the commits; a key is used once; answers are found again. */
#include "tests/unit/lunmgr/record_cases.h"

#include "db/catalog.h"
#include "lunmgr/audit.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/replay.h"
#include "tests/unit/db/fault_vfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define ENTRIES_MAX 16
#define TEXT_MAX    200

#define CASES_TEST(name)                                                                 \
    cmocka_unit_test_setup_teardown(name, cases_setup, cases_teardown)

/* ---- Looking --------------------------------------------------------------------- */

struct log {
    bool came;
    size_t count;
    uint64_t seqs[ENTRIES_MAX];
    char who[ENTRIES_MAX][TEXT_MAX], from[ENTRIES_MAX][TEXT_MAX];
    char operation[ENTRIES_MAX][TEXT_MAX], subject[ENTRIES_MAX][TEXT_MAX];
    char subject_id[ENTRIES_MAX][TEXT_MAX], request[ENTRIES_MAX][TEXT_MAX];
    uint8_t prev[DIGEST_BYTES];
};

static void put(char out[TEXT_MAX], const char *text)
{
    assert_in_range(snprintf(out, TEXT_MAX, "%s", text), 0, TEXT_MAX - 1);
}

static void on_log(void *arg, const struct audit_entry *entries, size_t count,
                   const struct err *e)
{
    struct log *log = arg;
    assert_null(e);
    assert_in_range(count, 0, ENTRIES_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct audit_fields *f = &entries[i].fields;
        uint8_t hash[DIGEST_BYTES];
        audit_hash(log->prev, f, hash);
        assert_memory_equal(hash, entries[i].hash, sizeof(hash));
        memcpy(log->prev, hash, sizeof(hash));
        log->seqs[i] = f->seq;
        put(log->who[i], f->who);
        put(log->from[i], f->from);
        put(log->operation[i], f->operation);
        put(log->subject[i], f->subject);
        put(log->subject_id[i], f->subject_id);
        put(log->request[i], f->request);
    }
    log->count = count;
    log->came = true;
}

static bool log_came(void *arg)
{
    return ((struct log *)arg)->came;
}

/* All of it; the chain holds. */
static struct log read_log(void)
{
    struct log log = {.came = false};
    audit_list(rig.manager, 0, ENTRIES_MAX, on_log, &log);
    assert_false(log.came);
    pool_rig_until(&rig, log_came, &log);
    return log;
}

struct found {
    bool came, is_there;
    struct replay replay;
    char body[TEXT_MAX];
};

static void on_found(void *arg, const struct replay *replay, const struct err *e)
{
    struct found *found = arg;
    assert_null(e);
    found->came = true;
    found->is_there = replay != NULL;
    if (replay == NULL)
        return;
    found->replay = *replay;
    put(found->body, replay->body == NULL ? "(none)" : replay->body);
}

static bool found_came(void *arg)
{
    return ((struct found *)arg)->came;
}

static struct found find(const char *principal, const char *key)
{
    struct found found = {.came = false};
    replay_find(rig.manager, principal, key, on_found, &found);
    assert_false(found.came);
    pool_rig_until(&rig, found_came, &found);
    return found;
}

/* ---- Every change ---------------------------------------------------------------- */

static void assert_recorded(const struct change_case *c, const char *id)
{
    struct log log = read_log();
    assert_int_equal(log.count, 1);
    assert_int_equal(log.seqs[0], 1);
    assert_string_equal(log.who[0], "token ci");
    assert_string_equal(log.from[0], "192.0.2.7");
    assert_string_equal(log.operation[0], c->operation);
    assert_string_equal(log.subject[0], "what the request names");
    assert_string_equal(log.subject_id[0], id);
    assert_string_equal(log.request[0], "{\"a\":1}");
    struct found found = find("token:ci", "key");
    assert_true(found.is_there);
    assert_string_equal(found.replay.operation, c->operation);
    assert_string_equal(found.replay.subject_id, id);
    assert_int_equal(found.replay.fingerprint[0], 7);
    assert_int_equal(found.replay.status, 0);
    assert_string_equal(found.body, "(none)");
}

static void assert_nothing_recorded(void)
{
    assert_int_equal(read_log().count, 0);
    assert_false(find("token:ci", "key").is_there);
}

static struct answer do_case(const struct change_case *c, char id[VOLUME_ID_MAX])
{
    struct answer none = {.came = false};
    if (c->goes)
        c->id(&none, id);
    record_next(c->operation, "key", false);
    struct answer a = ask(c->ask);
    if (!c->goes && a.object != NULL)
        c->id(&a, id);
    return a;
}

/* First with a catalog that fails: the change is refused, and no record is there. */
static void a_record_is_there_exactly_when_its_change_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < change_case_count; i++) {
        const struct change_case *c = &change_cases[i];
        char id[VOLUME_ID_MAX] = "";
        print_message("%s\n", c->operation);
        cases_setup(NULL);
        fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, 0, 1000000, SQLITE_FULL);
        struct answer a = do_case(c, id);
        assert_true(a.err.code < 0 && a.err.text[0] != '\0');
        fault_vfs_disarm();
        assert_nothing_recorded();
        a = do_case(c, id);
        assert_int_equal(a.err.code, 0);
        assert_recorded(c, id);
        restart();
        assert_recorded(c, id);
        cases_teardown(NULL);
    }
}

static void a_refused_change_leaves_no_record(void **state)
{
    (void)state;
    for (size_t i = 0; i < refusal_count; i++) {
        record_next(refusals[i].operation, "key", false);
        struct answer a = ask(refusals[i].ask);
        assert_refused(&a, refusals[i].code, refusals[i].field);
    }
    assert_nothing_recorded();
}

static void a_change_that_nobody_asked_for_has_no_record(void **state)
{
    (void)state;
    struct answer a = ask(change_cases[0].ask);
    assert_int_equal(a.err.code, 0);
    assert_nothing_recorded();
}

static void without_a_key_a_change_can_be_repeated(void **state)
{
    struct record r = {.audited = true, .principal = "token:ci"};
    (void)state;
    for (size_t i = 1; i <= 2; i++) {
        struct answer a = {.came = false};
        record_write(rig.manager, &r, on_done, &a);
        assert_int_equal(wait_for(&a), 0);
        assert_int_equal(read_log().count, i);
    }
}

static void an_answer_known_before_is_recorded_at_once(void **state)
{
    struct record r = {.principal = "token:ci", .key = "key", .status = 200};
    char body[] = "{\"changes\":[]}";
    struct answer a = {.came = false};
    (void)state;
    r.answer = body;
    record_write(rig.manager, &r, on_done, &a);
    memset(body, 'x', sizeof(body) - 1);
    assert_int_equal(wait_for(&a), 0);
    struct found found = find("token:ci", "key");
    assert_int_equal(found.replay.status, 200);
    assert_string_equal(found.body, "{\"changes\":[]}");
}

static int trash_long_ago(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct volume_row row;
    int rc = volume_row_get(txn, arg, &row, e);
    row.trashed_s = 1;
    return rc != 0 ? rc : volume_row_change(txn, &row, e);
}

static bool trash_is_empty(void *arg)
{
    (void)arg;
    return volume_trash_count(rig.manager) == 0;
}

static void what_the_trash_lets_go_is_in_the_log(void **state)
{
    char id[VOLUME_ID_MAX];
    (void)state;
    memcpy(id, volume_id(volume_trash_find(rig.manager, "t")), sizeof(id));
    assert_int_equal(catalog_write_wait(rig.catalog, trash_long_ago, id, NULL), 0);
    restart();
    pool_rig_until(&rig, trash_is_empty, NULL);
    struct log log = read_log();
    assert_int_equal(log.count, 1);
    assert_string_equal(log.who[0], "ashlard");
    assert_string_equal(log.operation[0], "trash_purge");
    assert_string_equal(log.subject[0], "t");
    assert_string_equal(log.subject_id[0], id);
}

/* ---- Keys ------------------------------------------------------------------------ */

static void a_key_is_used_once(void **state)
{
    uint8_t before[DIGEST_BYTES], after[DIGEST_BYTES];
    (void)state;
    for (size_t i = 0; i < change_case_count; i++) {
        const struct change_case *c = &change_cases[i];
        struct record r = {.principal = "token:ci", .key = "key"};
        struct answer first = {.came = false};
        print_message("%s\n", c->operation);
        cases_setup(NULL);
        record_write(rig.manager, &r, on_done, &first);
        assert_int_equal(wait_for(&first), 0);
        catalog_sum(before);
        record_next(c->operation, "key", false);
        struct answer a = ask(c->ask);
        assert_refused(&a, -EEXIST, "idempotency_key");
        pool_rig_settle(&rig);
        assert_int_equal(rig_round(&rig), 0); /* it failed no round */
        assert_int_equal(read_log().count, 0);
        catalog_sum(after);
        if (strncmp(c->operation, "snapshot", 8) != 0) /* whose layers come and go */
            assert_memory_equal(before, after, sizeof(before));
        record_next(c->operation, "another", false);
        a = ask(c->ask);
        assert_int_equal(a.err.code, 0);
        cases_teardown(NULL);
    }
}

/* By hand: both are in the writer's queue before it looks, so one commit has them. */
static void of_two_with_one_key_in_one_commit_one_wins(void **state)
{
    struct pool_rig_options options = {.engine = RIG_FAKE,
                                       .lane_count = 1,
                                       .pool_bytes = 16 * MIB,
                                       .by_hand = true,
                                       .seed = 1};
    struct volume_spec one = {.name = "one", .pool = "p", .size_bytes = MIB};
    struct volume_spec two = {.name = "two", .pool = "p", .size_bytes = MIB};
    struct answer a = {.came = false}, b = {.came = false};
    (void)state;
    pool_rig_create(&rig, &options);
    record_next("volume_create", "key", false);
    volume_create(rig.manager, &one, on_volume, &a);
    record_next("volume_create", "key", false);
    volume_create(rig.manager, &two, on_volume, &b);
    wait_for(&b);
    assert_refused(&b, -EEXIST, "idempotency_key");
    assert_int_equal(wait_for(&a), 0);
    assert_null(volume_find(rig.manager, "two"));
    struct log log = read_log();
    assert_int_equal(log.count, 1);
    assert_string_equal(log.subject_id[0], volume_id(a.object));
    restart();
    assert_non_null(volume_find(rig.manager, "one"));
    assert_null(volume_find(rig.manager, "two"));
    pool_rig_destroy(&rig);
}

static void a_refused_snapshot_costs_nobody_a_flush(void **state)
{
    struct record r = {.principal = "token:ci", .key = "key"};
    struct answer first = {.came = false}, a = {.came = false};
    struct volume *v = volume_find(rig.manager, "v");
    struct pool_check_report report;
    (void)state;
    record_write(rig.manager, &r, on_done, &first);
    assert_int_equal(wait_for(&first), 0);
    for (size_t i = 0; i < change_case_count; i++) {
        const char *operation = change_cases[i].operation;
        if (strcmp(operation, "snapshot_create") != 0 &&
            strcmp(operation, "volume_rollback") != 0)
            continue;
        assert_int_equal(rig_write(&rig, v, EXTENT_BYTES, 4096, 9), 0);
        record_next(operation, "key", false);
        a = ask(change_cases[i].ask);
        assert_refused(&a, -EEXIST, "idempotency_key");
        assert_int_equal(rig_flush(&rig, v), 0);
        assert_true(rig_reads(&rig, v, 0, EXTENT_BYTES, 2));
        assert_true(rig_reads(&rig, v, EXTENT_BYTES, 4096, 9));
        assert_true(rig_reads(&rig, v, 2 * EXTENT_BYTES, EXTENT_BYTES, 1));
    }
    pool_rig_settle(&rig);
    assert_int_equal(pool_rig_check(&rig, &report, NULL), 0);
    assert_int_equal(report.lost_extents + report.double_extents, 0);
    restart();
    assert_int_equal(snapshot_count(rig.manager), 1);
    assert_true(rig_reads(&rig, volume_find(rig.manager, "v"), 0, EXTENT_BYTES, 2));
}

/* ---- Order ----------------------------------------------------------------------- */

static void the_log_is_in_the_order_of_the_commits(void **state)
{
    struct answer answers[8];
    char name[16];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct host_spec spec = {.name = name,
                                 .initiators = (const char *const[]){name + 1},
                                 .initiator_count = 1};
        snprintf(name, sizeof(name), "niqn.%zu", i);
        answers[i] = (struct answer){.came = false};
        record_next("host_create", "", false);
        host_create(rig.manager, &spec, on_host, &answers[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        assert_int_equal(wait_for(&answers[i]), 0);
    struct log log = read_log();
    assert_int_equal(log.count, ARRAY_LEN(answers));
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct host_info info;
        host_describe(answers[i].object, &info);
        assert_string_equal(log.subject_id[i], info.id);
        assert_int_equal(log.seqs[i], i + 1);
    }
}

/* ---- Answers --------------------------------------------------------------------- */

static void an_answer_is_found_again(void **state)
{
    struct record r = {.principal = "token:ci", .key = "key"};
    struct answer a = {.came = false};
    (void)state;
    replay_answer(rig.manager, "token:ci", "key", 201, "nobody asked"); /* is ignored */
    record_write(rig.manager, &r, on_done, &a);
    assert_int_equal(wait_for(&a), 0);
    assert_int_equal(find("token:ci", "key").replay.status, 0);
    replay_answer(rig.manager, "token:ci", "key", 201, "{\"id\":\"x\"}");
    restart(); /* which waits for it */
    struct found found = find("token:ci", "key");
    assert_int_equal(found.replay.status, 201);
    assert_string_equal(found.body, "{\"id\":\"x\"}");
    assert_false(find("token:cd", "key").is_there);
    replay_answer(rig.manager, "token:ci", "key", 204, NULL);
    restart();
    found = find("token:ci", "key");
    assert_int_equal(found.replay.status, 204);
    assert_string_equal(found.body, "(none)");
}

static int add_old(struct catalog_txn *txn, void *arg, struct err *e)
{
    const struct replay_bounds bounds = {.count_max = 10};
    const struct replay_row row = {.principal = "token:ci",
                                   .key = "key",
                                   .created_s = *(const int64_t *)arg,
                                   .operation = "x"};
    return replay_row_add(txn, &row, &bounds, e);
}

static void an_old_key_is_forgotten(void **state)
{
    int64_t then = (int64_t)time(NULL) - REPLAY_RETENTION_DEFAULT;
    (void)state;
    assert_int_equal(catalog_write_wait(rig.catalog, add_old, &then, NULL), 0);
    assert_false(find("token:ci", "key").is_there);
    record_next("volume_create", "key", false);
    struct answer a = ask(change_cases[0].ask);
    assert_int_equal(a.err.code, 0);
    assert_string_equal(find("token:ci", "key").replay.operation, "volume_create");
}

/* ---- What goes with what --------------------------------------------------------- */

static void the_tokens_of_a_host_go_with_it(void **state)
{
    struct answer token = {.came = false};
    (void)state;
    struct token_info info;
    token_describe(token_find(rig.manager, "a"), &info);
    assert_int_equal(info.scope, TOKEN_ATTACH);
    assert_string_equal(info.host_name, "g");
    /* One that is being removed meanwhile is its operation's to let go. */
    struct answer host = {.came = false};
    host_delete(rig.manager, "g", on_done, &host);
    token_remove(rig.manager, "a", on_done, &token);
    wait_for(&token);
    assert_refused(&token, -ENOENT, "");
    assert_int_equal(wait_for(&host), 0);
    assert_null(token_find(rig.manager, "a"));
    assert_non_null(token_find(rig.manager, "k"));
    restart();
    assert_null(token_find(rig.manager, "a"));
    assert_non_null(token_find(rig.manager, "k"));
}

static void a_token_is_not_added_to_a_host_that_goes(void **state)
{
    static const uint8_t hash[TOKEN_HASH_BYTES] = {9};
    const struct token_spec spec = {
        .name = "n", .hash = hash, .scope = TOKEN_ATTACH, .host = "g"};
    struct answer host = {.came = false}, token = {.came = false};
    (void)state;
    host_delete(rig.manager, "g", on_done, &host);
    token_add(rig.manager, &spec, on_token, &token);
    wait_for(&token);
    assert_refused(&token, -ENOENT, "host");
    assert_int_equal(wait_for(&host), 0);
}

static void credentials_count_their_changes(void **state)
{
    static const bool yes = true, no = false;
    const struct auth_change chap = {
        .chap = &yes, .user = "u", .secret = "initiator-secret"};
    const struct auth_change none = {.chap = &no};
    const struct host_change changes[] = {
        {.auth = &chap}, {.name = "h2"}, {.auth = &none}, {.name = "h"}};
    static const uint64_t revisions[] = {1, 1, 2, 2};
    struct host_info info;
    (void)state;
    host_describe(host_find(rig.manager, "h"), &info);
    assert_int_equal(info.auth->revision, 0);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        struct answer a = {.came = false};
        host_change(rig.manager, i % 4 < 2 ? "h" : "h2", &changes[i], on_host, &a);
        assert_int_equal(wait_for(&a), 0);
        host_describe(a.object, &info);
        assert_int_equal(info.auth->revision, revisions[i]);
    }
    restart();
    host_describe(host_find(rig.manager, "h"), &info);
    assert_int_equal(info.auth->revision, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_there_exactly_when_its_change_is),
        CASES_TEST(a_refused_change_leaves_no_record),
        CASES_TEST(a_change_that_nobody_asked_for_has_no_record),
        CASES_TEST(what_the_trash_lets_go_is_in_the_log),
        CASES_TEST(without_a_key_a_change_can_be_repeated),
        CASES_TEST(an_answer_known_before_is_recorded_at_once),
        cmocka_unit_test(a_key_is_used_once),
        cmocka_unit_test(of_two_with_one_key_in_one_commit_one_wins),
        CASES_TEST(a_refused_snapshot_costs_nobody_a_flush),
        CASES_TEST(the_log_is_in_the_order_of_the_commits),
        CASES_TEST(an_answer_is_found_again),
        CASES_TEST(an_old_key_is_forgotten),
        CASES_TEST(the_tokens_of_a_host_go_with_it),
        CASES_TEST(a_token_is_not_added_to_a_host_that_goes),
        CASES_TEST(credentials_count_their_changes),
    };
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
