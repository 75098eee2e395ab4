/* SPDX-License-Identifier: Apache-2.0 */
/* Who may what: every operation asked for by every kind of principal, over HTTP, held
 * against a table that is written down here once more. */
#include "cm.h"
#include "fake_priv.h"
#include "rig.h"
#include "web/api.h"
#include "web/router.h"

#define READERS      (READ | PROVISION | ADMIN)
#define PROVISIONERS (PROVISION | ADMIN)

enum { /* scopes as bits */
       READ = 1,
       PROVISION = 2,
       ADMIN = 4,
       OWN = 8,      /* attach, for the host that it concerns */
       FOREIGN = 16, /* attach, for another one */
       NOBODY = 32,  /* no token, or none that is good */
       ANYONE = READERS | OWN | FOREIGN | NOBODY,
};

static const struct {
    const char *operation;
    unsigned who;
} expected[] = {
    {"health_show", ANYONE},
    {"ready_show", ANYONE},
    {"openapi_show", ANYONE},
    {"metrics_show", READERS},
    {"box_show", READERS | OWN | FOREIGN},
    {"auth_show", READERS},
    {"auth_change", ADMIN},
    {"pool_list", READERS},
    {"pool_create", ADMIN},
    {"pool_export", ADMIN},
    {"pool_import", ADMIN},
    {"pool_show", READERS},
    {"pool_put", ADMIN},
    {"pool_change", ADMIN},
    {"pool_delete", ADMIN},
    {"pool_check", ADMIN},
    {"device_list", READERS},
    {"device_show", READERS},
    {"device_list_of_pool", READERS},
    {"device_show_of_pool", READERS},
    {"pool_add_device", ADMIN},
    {"device_change", ADMIN},
    {"device_delete", ADMIN},
    {"device_evacuate", ADMIN},
    {"volume_list", READERS},
    {"volume_create", PROVISIONERS},
    {"volume_show", READERS},
    {"volume_put", PROVISIONERS},
    {"volume_change", PROVISIONERS},
    {"volume_delete", PROVISIONERS},
    {"volume_copy", PROVISIONERS},
    {"volume_rollback", PROVISIONERS},
    {"volume_extents", READERS},
    {"volume_diff", READERS},
    {"snapshot_list", READERS},
    {"snapshot_create", PROVISIONERS},
    {"snapshot_show", READERS},
    {"snapshot_change", PROVISIONERS},
    {"snapshot_delete", PROVISIONERS},
    {"snapshot_extents", READERS},
    {"snapshot_diff", READERS},
    {"snapshot_extents_by_name", READERS},
    {"snapshot_diff_by_name", READERS},
    {"snapshot_show_by_name", READERS},
    {"snapshot_put", PROVISIONERS},
    {"snapshot_change_by_name", PROVISIONERS},
    {"snapshot_delete_by_name", PROVISIONERS},
    {"snapshot_group_create", PROVISIONERS},
    {"snapshot_group_show", READERS},
    {"trash_list", READERS},
    {"trash_show", READERS},
    {"trash_purge", PROVISIONERS},
    {"trash_restore", PROVISIONERS},
    {"host_list", READERS},
    {"host_create", PROVISIONERS},
    {"host_show", READERS | OWN},
    {"host_put", PROVISIONERS},
    {"host_change", PROVISIONERS},
    {"host_delete", PROVISIONERS},
    {"initiator_seen", READERS},
    {"mapping_list", READERS | OWN | FOREIGN}, /* of the host's own alone */
    {"mapping_create", PROVISIONERS | OWN},
    {"mapping_show", READERS | OWN},
    {"mapping_delete", PROVISIONERS | OWN},
    {"mapping_show_by_pair", READERS | OWN},
    {"mapping_put", PROVISIONERS | OWN},
    {"mapping_delete_by_pair", PROVISIONERS | OWN},
    {"mapping_show_of_snapshot", READERS | OWN},
    {"mapping_delete_of_snapshot", PROVISIONERS | OWN},
    {"session_list", READERS},
    {"session_show", READERS},
    {"session_delete", ADMIN},
    {"drain_list", READERS},
    {"drain_create", ADMIN},
    {"drain_show", READERS},
    {"drain_delete", ADMIN},
    {"portal_group_list", READERS},
    {"portal_group_show", READERS},
    {"portal_group_change", ADMIN},
    {"job_list", READERS},
    {"job_show", READERS},
    {"job_cancel", ADMIN},
    {"event_list", READERS},
    {"token_list", ADMIN},
    {"token_create", ADMIN},
    {"token_show", ADMIN},
    {"token_delete", ADMIN},
    {"apply", PROVISIONERS},
    {"catalog_backup", ADMIN},
    {"audit_list", ADMIN},
};

static const struct {
    const char *name, *body;
    unsigned bit;
} tokens[] = {
    {"reader", "{\"name\":\"reader\",\"scope\":\"read\"}", READ},
    {"provisioner", "{\"name\":\"provisioner\",\"scope\":\"provision\"}", PROVISION},
    {"admin", "{\"name\":\"admin\",\"scope\":\"admin\"}", ADMIN},
    {"own", "{\"name\":\"own\",\"scope\":\"attach\",\"host\":\"h\"}", OWN},
    {"foreign", "{\"name\":\"foreign\",\"scope\":\"attach\",\"host\":\"g\"}", FOREIGN},
    {"expired", "{\"name\":\"expired\",\"scope\":\"admin\",\"expires\":\"1d\"}", NOBODY},
};

/* ---- The world --------------------------------------------------------------------- */

struct world {
    char tokens[ARRAY_LEN(tokens)][128];
    char mapping[VOLUME_ID_MAX]; /* of v to h */
};

static void make(struct rig *r, const char *path, const char *body)
{
    if (rig_call(r, "POST", path, body) != 201)
        fail_msg("POST %s: %s", path, r->answer.body);
}

/* Volume v is mapped to the hosts g and h, its snapshot s to h. */
static void world_make(struct rig *r, struct world *w)
{
    rig_provision(r);
    make(r, "/v1/hosts", "{\"name\":\"g\",\"initiators\":[\"iqn.2024-01.example:g\"]}");
    make(r, "/v1/snapshots", "{\"volume\":\"v\",\"name\":\"s\"}");
    make(r, "/v1/mappings", "{\"snapshot\":\"v/s\",\"host\":\"h\"}");
    make(r, "/v1/mappings", "{\"volume\":\"v\",\"host\":\"g\"}");
    make(r, "/v1/mappings", "{\"volume\":\"v\",\"host\":\"h\"}");
    snprintf(w->mapping, sizeof(w->mapping), "%s", rig_text(r, "id"));
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        make(r, "/v1/tokens", tokens[i].body);
        snprintf(w->tokens[i], sizeof(w->tokens[i]), "%s", rig_text(r, "token"));
    }
    token_find(r->m, "expired")->info.expires_s = CREATED_S;
}

static const char *value_of(const struct world *w, const char *parameter)
{
    static const struct {
        const char *parameter, *value;
    } values[] = {{"{volume}", "v"}, {"{host}", "h"}, {"{snapshot}", "s"}};
    if (strncmp(parameter, "{mapping}", strlen("{mapping}")) == 0)
        return w->mapping;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        if (strncmp(parameter, values[i].parameter, strlen(values[i].parameter)) == 0)
            return values[i].value;
    }
    return "nothing";
}

/* The route's path to what is host h's; of other kinds of things, to nothing. */
static void path_of(const struct world *w, const struct route *route, char out[256])
{
    size_t at = 0;
    for (const char *p = route->path; *p != '\0'; p++) {
        if (*p != '{') {
            out[at++] = *p;
            continue;
        }
        at += (size_t)snprintf(out + at, 256 - at, "%s", value_of(w, p));
        p = strchr(p, '}');
    }
    out[at] = '\0';
}

/* GET, but of an answer that ends its connection its head alone. */
static const char *method_of(const struct route *route)
{
    return route->handler == api_diff ? "HEAD" : router_method_name(route->method);
}

/* Everything is refused later than for want of a permission, or dry. */
static int ask(struct rig *r, struct client *c, const struct world *w,
               const struct route *route)
{
    char path[256], dry[300];
    const char *body = NULL;
    path_of(w, route, path);
    snprintf(dry, sizeof(dry), "%s%s", path,
             route->method == EVHTTP_REQ_GET ? "" : "?dry_run=1");
    if (route->schema != NULL)
        body = strcmp(route->operation, "mapping_create") == 0
                   ? "{\"volume\":\"v\",\"host\":\"h\",\"lun\":9}"
                   : "{}";
    return rig_call_on(r, c, method_of(route), dry, body);
}

/* ---- The table --------------------------------------------------------------------- */

static unsigned who_may(const char *operation)
{
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        if (strcmp(expected[i].operation, operation) == 0)
            return expected[i].who;
    }
    fail_msg("%s is not in the table of this test", operation);
    return 0;
}

static void hold(const struct rig *r, const struct route *route, const char *who,
                 unsigned bit)
{
    int status = r->answer.status;
    int refusal = bit == NOBODY ? 401 : 403;
    bool may = (who_may(route->operation) & bit) != 0;
    bool was_let = status != 401 && status != 403 && status != 429;
    if (may ? !was_let : status != refusal)
        fail_msg("%s as %s: %d %s", route->operation, who, status, r->answer.body);
}

static void every_operation_is_for_whom_the_table_says(void **state)
{
    struct rig *r = *state;
    struct world w;
    size_t count;
    const struct route *routes = router_table(&count);
    world_make(r, &w);
    struct client *tcp = rig_client_open(r, "");
    assert_int_equal(count, ARRAY_LEN(expected));
    for (size_t i = 0; i < count; i++) {
        tcp->token[0] = '\0';
        ask(r, tcp, &w, &routes[i]);
        hold(r, &routes[i], "one without a token", NOBODY);
        for (size_t j = 0; j < ARRAY_LEN(tokens); j++) {
            if (tokens[j].bit == NOBODY)
                continue;
            snprintf(tcp->token, sizeof(tcp->token), "%s", w.tokens[j]);
            ask(r, tcp, &w, &routes[i]);
            hold(r, &routes[i], tokens[j].name, tokens[j].bit);
        }
        ask(r, &r->client, &w, &routes[i]);
        hold(r, &routes[i], "local", ADMIN);
    }
    rig_client_close(tcp);
}

/* Ten tokens that are not known lock their address out: some operations a rig. */
#define BATCH (WEB_AUTH_FAILURES_MAX - 1)

static void ask_badly(struct rig *r, size_t from, size_t token)
{
    struct world w;
    size_t count;
    const struct route *routes = router_table(&count);
    world_make(r, &w);
    struct client *tcp =
        rig_client_open(r, token < ARRAY_LEN(tokens) ? w.tokens[token] : "ashlar_guess");
    for (size_t i = from; i < count && i < from + BATCH; i++) {
        ask(r, tcp, &w, &routes[i]);
        hold(r, &routes[i], "one with a bad token", NOBODY);
    }
    rig_client_close(tcp);
}

static void bad_tokens_open_nothing(void **state)
{
    size_t count;
    (void)state;
    router_table(&count);
    for (size_t from = 0; from < count; from += BATCH) {
        for (size_t token = 0; token <= ARRAY_LEN(tokens); token++) {
            void *rig;
            if (token < ARRAY_LEN(tokens) && tokens[token].bit != NOBODY)
                continue;
            assert_int_equal(rig_setup(&rig), 0);
            ask_badly(rig, from, token);
            assert_int_equal(rig_teardown(&rig), 0);
        }
    }
}

/* ---- A token for one host ---------------------------------------------------------- */

static struct client *attacher_open(struct rig *r)
{
    struct world w;
    world_make(r, &w);
    return rig_client_open(r, w.tokens[3]);
}

static void attach_token_sees_its_hosts_mappings_alone(void **state)
{
    static const char *const lists[] = {
        "/v1/mappings",
        "/v1/mappings?sort=-lun",
        "/v1/mappings?sort=host&limit=2",
        "/v1/mappings?filter=volume%3Dv",
        "/v1/mappings?fields=host",
    };
    struct rig *r = *state;
    struct client *own = attacher_open(r);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        assert_int_equal(rig_call_on(r, own, "GET", lists[i], NULL), 200);
        assert_int_equal(json_array_size(rig_get(r, "items")), 2);
        assert_string_equal(rig_text(r, "items/0/host"), "h");
        assert_string_equal(rig_text(r, "items/1/host"), "h");
        assert_true(json_is_null(rig_get(r, "next")));
    }
    rig_call_on(r, own, "GET", "/v1/mappings?filter=host%3Dg", NULL);
    assert_int_equal(json_array_size(rig_get(r, "items")), 0);
    rig_call_on(r, own, "GET", "/v1/mappings?limit=1", NULL);
    assert_string_equal(rig_text(r, "items/0/host"), "h");
    assert_true(json_is_string(rig_get(r, "next")));
    assert_int_equal(rig_call(r, "GET", "/v1/mappings", NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 3);
    rig_client_close(own);
}

static void attach_token_maps_for_its_host_alone(void **state)
{
    static const struct {
        const char *method, *path, *body;
        int status;
    } steps[] = {
        {"POST", "/v1/mappings", "{\"volume\":\"v\",\"host\":\"g\",\"lun\":7}", 403},
        {"POST", "/v1/mappings", "{\"volume\":\"v\",\"host\":\"nobody\"}", 403},
        {"POST", "/v1/mappings", "{\"volume\":\"v\",\"host\":7}", 403},
        {"POST", "/v1/mappings", "{\"volume\":\"v\"}", 403},
        {"PUT", "/v1/mappings/v/g", "{}", 403},
        {"PUT", "/v1/mappings/v/nobody", "{}", 403},
        {"DELETE", "/v1/mappings/v/g", NULL, 403},
        {"GET", "/v1/mappings/v/g", NULL, 403},
        {"GET", "/v1/mappings/nothing", NULL, 403},
        {"GET", "/v1/hosts", NULL, 403},
        {"GET", "/v1/hosts/g", NULL, 403},
        {"GET", "/v1/events", NULL, 403},
        {"GET", "/v1/hosts/h", NULL, 200},
        {"DELETE", "/v1/mappings/v/h", NULL, 204},
        {"DELETE", "/v1/mappings/v/h", NULL, 404},
        {"GET", "/v1/mappings/v/h", NULL, 404},
        {"PUT", "/v1/mappings/v/h", "{}", 201},
        {"PUT", "/v1/mappings/v/h", "{}", 200},
        {"DELETE", "/v1/mappings/v/s/h", NULL, 204},
        {"POST", "/v1/mappings", "{\"snapshot\":\"v/s\",\"host\":\"h\"}", 201},
    };
    struct rig *r = *state;
    struct client *own = attacher_open(r);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        int status = rig_call_on(r, own, steps[i].method, steps[i].path, steps[i].body);
        if (status != steps[i].status)
            fail_msg("%s %s %s: %d %s", steps[i].method, steps[i].path,
                     steps[i].body == NULL ? "" : steps[i].body, status, r->answer.body);
    }
    rig_client_close(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(every_operation_is_for_whom_the_table_says),
        cmocka_unit_test(bad_tokens_open_nothing),
        WITH_RIG(attach_token_sees_its_hosts_mappings_alone),
        WITH_RIG(attach_token_maps_for_its_host_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
