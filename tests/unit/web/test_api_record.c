/* SPDX-License-Identifier: Apache-2.0 */
/* What a change leaves behind: its audit entry, its event, nothing of its secrets; and
 * what a dry run leaves behind: nothing. */
#include "cm.h"
#include "fake_priv.h"
#include "rig.h"

#include <unistd.h>

#define KEY    "Idempotency-Key: %zu\r\n"
#define SECRET "planted-initiator-secret"
#define MUTUAL "planted-target-secret"
#define CHAP                                                                             \
    "{\"method\":\"chap\",\"user\":\"u\",\"secret\":\"" SECRET                           \
    "\",\"mutual_user\":\"b\",\"mutual_secret\":\"" MUTUAL "\"}"

/* In an order that works. */
static const struct step {
    const char *method, *path, *body;
    int status;
    const char *operation, *subject;
    const char *event; /* NULL: none of its own */
} steps[] = {
    {"POST", "/v1/pools",
     "{\"name\":\"q\",\"devices\":[{\"path\":\"/srv/q.img\",\"size\":\"1GiB\"}]}", 201,
     "pool_create", "q", "pool.created"},
    {"POST", "/v1/volumes", "{\"name\":\"w\",\"pool\":\"p\",\"size\":4096}", 201,
     "volume_create", "w", "volume.created"},
    {"PUT", "/v1/volumes/x", "{\"pool\":\"p\",\"size\":4096}", 201, "volume_put", "x",
     "volume.created"},
    {"PATCH", "/v1/volumes/x", "{\"size\":8192}", 200, "volume_change", "x",
     "volume.changed"},
    {"POST", "/v1/snapshots", "{\"volume\":\"v\",\"name\":\"s\"}", 201, "snapshot_create",
     "v/s", "snapshot.created"},
    {"PUT", "/v1/snapshots/v/t", "{}", 201, "snapshot_put", "v/t", "snapshot.created"},
    {"PATCH", "/v1/snapshots/v/t", "{\"protected\":false}", 200,
     "snapshot_change_by_name", "v/t", "snapshot.changed"},
    {"POST", "/v1/snapshot-groups", "{\"volumes\":[\"v\",\"x\"],\"name\":\"g\"}", 201,
     "snapshot_group_create", "g", "snapshot_group.created"},
    {"DELETE", "/v1/snapshots/v/t", NULL, 204, "snapshot_delete_by_name", "v/t",
     "snapshot.deleted"},
    {"DELETE", "/v1/volumes/w", NULL, 204, "volume_delete", "w", "volume.deleted"},
    {"POST", "/v1/trash/w/restore", "{}", 200, "trash_restore", "w", "trash.restored"},
    {"DELETE", "/v1/volumes/w?purge=1", NULL, 204, "volume_delete", "w",
     "volume.deleted"},
    {"POST", "/v1/volumes/v/rollback", "{\"snapshot\":\"s\"}", 200, "volume_rollback",
     "v", "volume.rolled_back"},
    {"POST", "/v1/volumes/v/copy", "{\"name\":\"c\"}", 202, "volume_copy", "v",
     "volume.copy_begun"},
    {"POST", "/v1/hosts",
     "{\"name\":\"g\",\"initiators\":[\"iqn.2024-01.com.example:g\"],\"auth\":" CHAP "}",
     201, "host_create", "g", "host.created"},
    {"PUT", "/v1/hosts/k",
     "{\"initiators\":[\"iqn.2024-01.com.example:k\"],\"auth\":" CHAP "}", 201,
     "host_put", "k", "host.created"},
    {"PATCH", "/v1/hosts/h", "{\"auth\":" CHAP "}", 200, "host_change", "h",
     "host.changed"},
    {"PATCH", "/v1/auth", "{\"discovery\":" CHAP "}", 200, "auth_change", "",
     "auth.changed"},
    {"POST", "/v1/mappings", "{\"volume\":\"v\",\"host\":\"h\"}", 201, "mapping_create",
     "v/h", "mapping.created"},
    {"PUT", "/v1/mappings/v/g", "{}", 201, "mapping_put", "v/g", "mapping.created"},
    {"DELETE", "/v1/mappings/v/g", NULL, 204, "mapping_delete_by_pair", "v/g",
     "mapping.deleted"},
    {"POST", "/v1/mappings", "{\"snapshot\":\"v/s\",\"host\":\"h\"}", 201,
     "mapping_create", "v/s/h", "mapping.created"},
    {"POST", "/v1/pools/p/check", NULL, 202, "pool_check", "p", "pool.check_begun"},
    {"POST", "/v1/drains", "{\"host\":\"h\"}", 201, "drain_create", "h", "drain.created"},
    {"DELETE", "/v1/drains/1", NULL, 204, "drain_delete", "1", "drain.deleted"},
    {"PATCH", "/v1/portal-groups/1", "{\"preferred\":true}", 200, "portal_group_change",
     "1", "portal_group.changed"},
    {"DELETE", "/v1/sessions/7", NULL, 204, "session_delete", "7", "session.deleted"},
    {"POST", "/v1/tokens", "{\"name\":\"t\",\"scope\":\"attach\",\"host\":\"h\"}", 201,
     "token_create", "t", "token.created"},
    {"DELETE", "/v1/tokens/t", NULL, 204, "token_delete", "t", "token.deleted"},
    {"DELETE", "/v1/hosts/k", NULL, 204, "host_delete", "k", "host.deleted"},
    {"POST", "/v1/pools/q/export", "{\"path\":\"/srv/q.pool\"}", 204, "pool_export", "q",
     "pool.exported"},
    {"POST", "/v1/pools/import", "{\"path\":\"/srv/q.pool\",\"name\":\"q\"}", 201,
     "pool_import", "q", "pool.imported"},
    {"DELETE", "/v1/pools/q", NULL, 204, "pool_delete", "q", "pool.deleted"},
};

static void begin(struct rig *r)
{
    rig_provision(r);
    fake_target_add_session(r->target, 7, "iqn.2024-01.com.example:h", "h");
}

/* Everything that is there, as the API tells it; to be freed. */
static char *everything(struct rig *r)
{
    static const char *const paths[] = {
        "/v1/pools",  "/v1/volumes",  "/v1/snapshots", "/v1/trash",         "/v1/hosts",
        "/v1/auth",   "/v1/mappings", "/v1/sessions",  "/v1/drains",        "/v1/jobs",
        "/v1/tokens", "/v1/events",   "/v1/audit",     "/v1/portal-groups",
    };
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        assert_int_equal(rig_call(r, "GET", paths[i], NULL), 200);
        fprintf(out, "%s\n", r->answer.body);
    }
    fclose(out);
    return text;
}

static void take(struct rig *r, const struct step *s, const char *headers)
{
    if (rig_call_with(r, &r->client, s->method, s->path, headers, s->body) != s->status)
        fail_msg("%s %s: %d %s", s->method, s->path, r->answer.status, r->answer.body);
}

/* ---- Dry runs ---------------------------------------------------------------------- */

static void dry_run_leaves_nothing_behind(void **state)
{
    struct rig *r = *state;
    begin(r);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        const struct step *s = &steps[i];
        char path[96];
        char *before = everything(r);
        snprintf(path, sizeof(path), "%s%cdry_run=1", s->path,
                 strchr(s->path, '?') == NULL ? '?' : '&');
        assert_int_equal(rig_call_with(r, &r->client, s->method, path,
                                       "Idempotency-Key: k\r\n", s->body),
                         200);
        assert_true(json_is_true(rig_get(r, "dry_run")));
        assert_string_equal(rig_text(r, "operation"), s->operation);
        assert_string_equal(rig_text(r, "subject"), s->subject);
        assert_true(json_is_array(rig_get(r, "differences")));
        bool sets = s->status == 201 || strcmp(s->method, "PATCH") == 0;
        bool is_group = strcmp(s->path, "/v1/snapshot-groups") == 0;
        if (sets && !is_group && strcmp(s->body, "{}") != 0 &&
            strcmp(s->operation, "snapshot_change_by_name") != 0)
            assert_true(json_array_size(rig_get(r, "differences")) > 0);
        assert_null(strstr(r->answer.body, SECRET));
        assert_null(strstr(r->answer.body, MUTUAL));
        char *after = everything(r);
        assert_string_equal(before, after);
        free(before);
        free(after);
        assert_int_equal(r->m->replay_count, 0);
        take(r, s, "");
    }
}

static void dry_run_tells_what_would_differ(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    rig_call(r, "PATCH", "/v1/volumes/v?dry_run=1", "{\"size\":\"2TiB\",\"labels\":{}}");
    assert_int_equal(json_array_size(rig_get(r, "differences")), 1);
    assert_string_equal(rig_text(r, "differences/0/pointer"), "/size");
    assert_int_equal(rig_number(r, "differences/0/from"), 1LL << 40);
    assert_int_equal(rig_number(r, "differences/0/to"), 1LL << 41);
    rig_call(r, "PATCH", "/v1/hosts/h?dry_run=1", "{\"auth\":" CHAP "}");
    assert_string_equal(rig_text(r, "differences/0/pointer"), "/auth");
    assert_string_equal(rig_text(r, "differences/0/to/secret"), "(secret)");
    assert_int_equal(rig_call(r, "PATCH", "/v1/hosts/h", "{\"auth\":" CHAP "}"), 200);
    rig_call(r, "PATCH", "/v1/hosts/h?dry_run=1", "{\"auth\":" CHAP "}");
    assert_int_equal(json_array_size(rig_get(r, "differences")), 0);
    rig_call(r, "PUT", "/v1/volumes/v?dry_run=1", "{\"pool\":\"p\",\"size\":\"1TiB\"}");
    assert_true(json_is_true(rig_get(r, "dry_run")));
    assert_int_equal(json_array_size(rig_get(r, "differences")), 0);
    assert_int_equal(rig_call(r, "POST", "/v1/volumes?dry_run=1",
                              "{\"name\":\"v\",\"pool\":\"p\",\"size\":4096}"),
                     409);
    assert_int_equal(rig_call(r, "DELETE", "/v1/volumes/w?dry_run=1", NULL), 404);
}

/* ---- Records ----------------------------------------------------------------------- */

static json_t *last_of(struct rig *r, const char *path)
{
    assert_int_equal(rig_call(r, "GET", path, NULL), 200);
    json_t *items = rig_get(r, "items");
    return json_array_get(items, json_array_size(items) - 1);
}

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text == NULL ? "" : text;
}

static void assert_recorded(struct rig *r, const struct step *s)
{
    char who[32];
    const json_t *entry = last_of(r, "/v1/audit?limit=1000");
    snprintf(who, sizeof(who), "local uid %u", (unsigned)getuid());
    assert_string_equal(text_of(entry, "operation"), s->operation);
    assert_string_equal(text_of(entry, "subject"), s->subject);
    assert_string_equal(text_of(entry, "who"), who);
    assert_true(json_is_null(json_object_get(entry, "from")));
    const char *text = text_of(entry, "request");
    bool is_purge = strstr(s->path, "purge=1") != NULL;
    bool has_body = s->body != NULL && strcmp(s->body, "{}") != 0;
    assert_int_equal(text[0] != '\0', has_body || is_purge);
    json_t *request = json_loads(text, 0, NULL);
    json_t *sent = json_loads(s->body == NULL ? "{}" : s->body, 0, NULL);
    if (has_body && strstr(s->body, SECRET) == NULL)
        assert_true(json_equal(request, sent));
    else if (has_body)
        assert_non_null(strstr(text, "\"(secret)\""));
    json_decref(request);
    json_decref(sent);
}

static void assert_told(struct rig *r, const struct step *s)
{
    const json_t *event = last_of(r, "/v1/events?limit=1000");
    const json_t *subject = json_object_get(event, "subject");
    assert_string_equal(text_of(event, "type"), s->event);
    assert_string_equal(text_of(subject, "name"), s->subject);
}

static void change_leaves_one_entry_and_one_event(void **state)
{
    struct rig *r = *state;
    begin(r);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        size_t before = r->m->audit_count;
        take(r, &steps[i], "");
        assert_int_equal(r->m->audit_count, before + 1);
        assert_recorded(r, &steps[i]);
        assert_told(r, &steps[i]);
    }
}

static void event_of_a_new_name_has_the_id(void **state)
{
    struct rig *r = *state;
    char id[64];
    rig_provision(r);
    assert_int_equal(rig_call(r, "PATCH", "/v1/volumes/v", "{\"name\":\"w\"}"), 200);
    snprintf(id, sizeof(id), "%s", rig_text(r, "id"));
    const json_t *subject = json_object_get(last_of(r, "/v1/events"), "subject");
    assert_string_equal(text_of(subject, "name"), "v");
    assert_string_equal(text_of(subject, "id"), id);
}

static void entry_says_who_and_from_where(void **state)
{
    struct rig *r = *state;
    assert_int_equal(rig_call(r, "POST", "/v1/tokens", "{\"name\":\"t\"}"), 201);
    struct client *c = rig_client_open(r, rig_text(r, "token"));
    assert_int_equal(rig_call_on(r, c, "POST", "/v1/hosts",
                                 "{\"name\":\"h\",\"initiators\":[\"any\"]}"),
                     201);
    const json_t *entry = last_of(r, "/v1/audit");
    assert_string_equal(text_of(entry, "who"), "token t");
    assert_string_equal(text_of(entry, "from"), "127.0.0.1");
    rig_client_close(c);
}

static void refused_change_leaves_nothing(void **state)
{
    static const struct step refused[] = {
        {"POST", "/v1/volumes", "{}", 422, NULL, NULL, NULL},
        {"POST", "/v1/volumes", "{\"name\":\"v\",\"pool\":\"p\",\"size\":4096}", 409,
         NULL, NULL, NULL},
        {"PATCH", "/v1/volumes/nothing", "{}", 404, NULL, NULL, NULL},
        {"PUT", "/v1/volumes/v", "{\"pool\":\"p\",\"size\":4096}", 409, NULL, NULL, NULL},
        {"DELETE", "/v1/sessions/8", NULL, 404, NULL, NULL, NULL},
        {"DELETE", "/v1/drains/8", NULL, 404, NULL, NULL, NULL},
        {"POST", "/v1/drains", "{\"host\":\"nothing\"}", 422, NULL, NULL, NULL},
        {"POST", "/v1/volumes/v/rollback", "{\"snapshot\":\"nothing\"}", 422, NULL, NULL,
         NULL},
        {"POST", "/v1/volumes/v/copy", "{\"name\":\"v\"}", 409, NULL, NULL, NULL},
        {"POST", "/v1/volumes/v/copy", "{\"to\":\"nothing\"}", 422, NULL, NULL, NULL},
        {"POST", "/v1/apply", "{\"hosts\":[{}]}", 422, NULL, NULL, NULL},
        {"PUT", "/v1/volumes/v", "{\"pool\":\"p\",\"size\":\"1TiB\"}", 200, NULL, NULL,
         NULL}, /* agrees */
    };
    struct rig *r = *state;
    begin(r);
    char *before = everything(r);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        take(r, &refused[i], "Idempotency-Key: k\r\n");
    char *after = everything(r);
    assert_string_equal(before, after);
    assert_int_equal(r->m->replay_count, 0);
    free(before);
    free(after);
}

static void audit_comes_in_pages(void **state)
{
    struct rig *r = *state;
    begin(r);
    for (size_t i = 0; i < 4; i++)
        take(r, &steps[i], "");
    char next[32] = "0";
    long long seq = 0;
    for (int page = 0; next[0] != '\0'; page++) {
        char path[64];
        snprintf(path, sizeof(path), "/v1/audit?limit=3&after=%s", next);
        assert_int_equal(rig_call(r, "GET", path, NULL), 200);
        assert_int_equal(json_array_size(rig_get(r, "items")), page < 2 ? 3 : 1);
        for (size_t i = 0; i < json_array_size(rig_get(r, "items")); i++) {
            snprintf(path, sizeof(path), "items/%zu/seq", i);
            assert_int_equal(rig_number(r, path), ++seq);
        }
        snprintf(next, sizeof(next), "%s", rig_text(r, "next"));
    }
    assert_int_equal(seq, r->m->audit_count);
    assert_int_equal(rig_call(r, "GET", "/v1/audit?after=x", NULL), 400);
}

/* ---- Secrets ----------------------------------------------------------------------- */

static void assert_none(const char *text, const char *token)
{
    assert_null(strstr(text, SECRET));
    assert_null(strstr(text, MUTUAL));
    assert_null(strstr(text, token));
}

static void secrets_are_nowhere(void **state)
{
    static const char document[] =
        "{\"hosts\":[{\"name\":\"n\",\"initiators\":[\"iqn.2024-01.com.example:n\"],"
        "\"auth\":" CHAP "},{\"name\":\"h\",\"auth\":" CHAP "}]}";
    struct rig *r = *state;
    char token[128];
    begin(r);
    rig_call_with(r, &r->client, "POST", "/v1/tokens", "Idempotency-Key: token\r\n",
                  "{\"name\":\"planted\"}");
    snprintf(token, sizeof(token), "%s", rig_text(r, "token"));
    assert_int_equal(strlen(token), strlen("ashlar_") + 43);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        char key[64];
        snprintf(key, sizeof(key), KEY, i);
        take(r, &steps[i], key);
        assert_none(r->answer.body, token);
        rig_call_with(r, &r->client, steps[i].method, steps[i].path, key, steps[i].body);
        assert_none(r->answer.body, token);
    }
    for (int i = 0; i < 2; i++) {
        rig_call_with(r, &r->client, "POST", "/v1/apply", "Idempotency-Key: all\r\n",
                      document);
        assert_int_equal(r->answer.status, 200);
        assert_none(r->answer.body, token);
    }
    rig_call(r, "PATCH", "/v1/hosts/h", "{\"auth\":" CHAP ",\"name\":7}");
    assert_int_equal(r->answer.status, 422);
    assert_none(r->answer.body, token);
    char *all = everything(r);
    assert_none(all, token);
    free(all);
    assert_int_equal(rig_call(r, "GET", "/metrics", NULL), 200);
    assert_none(r->answer.body, token);
    for (size_t i = 0; i < r->m->audit_count; i++)
        assert_none(r->m->audits[i].request, token);
    assert_true(r->m->replay_count > ARRAY_LEN(steps));
    for (size_t i = 0; i < r->m->replay_count; i++)
        assert_none(r->m->replays[i].body, token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(dry_run_leaves_nothing_behind),
        WITH_RIG(dry_run_tells_what_would_differ),
        WITH_RIG(change_leaves_one_entry_and_one_event),
        WITH_RIG(event_of_a_new_name_has_the_id),
        WITH_RIG(entry_says_who_and_from_where),
        WITH_RIG(refused_change_leaves_nothing),
        WITH_RIG(audit_comes_in_pages),
        WITH_RIG(secrets_are_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
