/* SPDX-License-Identifier: Apache-2.0 */
/* What each resource takes, refuses and tells. */
#include "cm.h"
#include "rig.h"
#include "web/token.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct refusal {
    const char *body, *pointer;
};

/* Each is answered 422 with the pointer, and nothing is made. */
static void refuses(struct rig *r, const char *path, const struct refusal *cases,
                    size_t count)
{
    assert_int_equal(rig_call(r, "GET", path, NULL), 200);
    size_t before = json_array_size(rig_get(r, "items"));
    for (size_t i = 0; i < count; i++) {
        int status = rig_call(r, "POST", path, cases[i].body);
        if (status != 422 || strcmp(rig_text(r, "pointer"), cases[i].pointer) != 0)
            fail_msg("%s: %d %s", cases[i].body, status, r->answer.body);
        assert_string_not_equal(rig_text(r, "detail"), "");
    }
    assert_int_equal(rig_call(r, "GET", path, NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), before);
}

static void pool_requests_are_read_strictly(void **state)
{
    static const struct refusal cases[] = {
        {"{\"name\":\"p\"}", "/devices"},
        {"{\"name\":\"p\",\"devices\":[]}", "/devices"},
        {"{\"name\":\"p\",\"devices\":{}}", "/devices"},
        {"{\"name\":\"p\",\"devices\":[{\"path\":\"/a\"},{\"path\":\"b\"}]}",
         "/devices/1/path"},
        {"{\"name\":\"p\",\"devices\":[7]}", "/devices/0"},
        {"{\"name\":\"p\",\"devices\":[{}]}", "/devices/0/path"},
        {"{\"name\":\"p\",\"devices\":[{\"path\":\"a.img\"}]}", "/devices/0/path"},
        {"{\"name\":\"p\",\"devices\":[{\"path\":\"/a\\u0001\"}]}", "/devices/0/path"},
        {"{\"name\":\"p\",\"devices\":[{\"path\":\"/a\",\"size\":4096}]}",
         "/devices/0/size"},
        {"{\"name\":\"p\",\"devices\":[{\"path\":\"/a\",\"seize\":1}]}",
         "/devices/0/seize"},
        {"{\"name\":\"p q\",\"devices\":[{\"path\":\"/a\"}]}", "/name"},
        {"{\"name\":\"p\",\"devices\":[{\"path\":\"/a\"}],\"page_cache\":\"on\"}",
         "/page_cache"},
        {"{\"name\":\"p\",\"devices\":[{\"path\":\"/a\"}],\"page_cache\":1}",
         "/page_cache"},
    };
    refuses(*state, "/v1/pools", cases, ARRAY_LEN(cases));
}

/* Whether the pool's page cache is used, as the answer has it. */
static bool has_page_cache(struct rig *r)
{
    assert_true(json_is_boolean(rig_get(r, "page_cache")));
    return json_is_true(rig_get(r, "page_cache"));
}

static void a_pools_page_cache_is_off_until_it_is_asked_for(void **state)
{
    struct rig *r = *state;
    assert_int_equal(rig_call(r, "POST", "/v1/pools",
                              "{\"name\":\"a\",\"devices\":[{\"path\":\"/a\"}]}"),
                     201);
    assert_false(has_page_cache(r));
    assert_int_equal(rig_call(r, "POST", "/v1/pools",
                              "{\"name\":\"b\",\"devices\":[{\"path\":\"/b\"}],"
                              "\"page_cache\":true}"),
                     201);
    assert_true(has_page_cache(r));
    assert_int_equal(rig_call(r, "PATCH", "/v1/pools/a", "{\"page_cache\":true}"), 200);
    assert_true(has_page_cache(r));
    assert_int_equal(
        rig_call(r, "PATCH", "/v1/pools/a", "{\"overcommit_cap_percent\":200}"), 200);
    assert_true(has_page_cache(r)); /* absent: as it is */
    assert_int_equal(rig_call(r, "PATCH", "/v1/pools/a", "{\"page_cache\":\"off\"}"),
                     422);
    assert_string_equal(rig_text(r, "pointer"), "/page_cache");
    assert_string_equal(rig_text(r, "accepted"), "true or false");
    assert_int_equal(rig_call(r, "GET", "/v1/pools/a", NULL), 200);
    assert_true(has_page_cache(r));
    assert_int_equal(rig_call(r, "PATCH", "/v1/pools/a", "{\"page_cache\":false}"), 200);
    assert_false(has_page_cache(r));
}

static void volume_requests_are_read_strictly(void **state)
{
    static const struct refusal cases[] = {
        {"{\"pool\":\"p\",\"size\":4096}", "/name"},
        {"{\"name\":\"w\",\"size\":4096}", "/pool"},
        {"{\"name\":\"w\",\"pool\":\"p\"}", "/size"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":0}", "/size"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":4097}", "/size"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":\"129TiB\"}", "/size"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":4096,\"block_size\":1024}",
         "/block_size"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":4096,\"physical_block_size\":1024}",
         "/physical_block_size"},
        {"{\"name\":\"w\",\"pool\":\"none\",\"size\":4096}", "/pool"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":4096,\"thin\":true}", "/thin"},
        {"{\"name\":\"w\",\"snapshot\":7}", "/snapshot"},
        {"{\"name\":\"w\",\"snapshot\":\"v/none\"}", "/snapshot"},
        {"{\"name\":\"w\",\"snapshot\":\"v/s\",\"size\":5}", "/size"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":4096,\"protected\":0}", "/protected"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":4096,\"zero_detect\":\"\"}",
         "/zero_detect"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":4096,\"qos\":7}", "/qos"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":4096,\"qos\":{\"iop\":1}}", "/qos/iop"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":4096,\"qos\":{\"iops\":10000001}}",
         "/qos/iops"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":4096,\"qos\":{\"bytes_per_s\":\"1KiB\"}"
         "}",
         "/qos/bytes_per_s"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":4096,\"qos\":{\"burst_s\":3}}",
         "/qos/burst_s"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":4096,\"labels\":[]}", "/labels"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":4096,\"labels\":{\"a b\":\"\"}}",
         "/labels/a b"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":4096,\"labels\":{\"a/b\":\"\"}}",
         "/labels/a~1b"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":4096,\"labels\":{\"a\":7}}",
         "/labels/a"},
        {"{\"name\":\"w\",\"pool\":\"p\",\"size\":4096,\"labels\":{\"a\":\"\\n\"}}",
         "/labels/a"},
    };
    rig_provision(*state);
    refuses(*state, "/v1/volumes", cases, ARRAY_LEN(cases));
}

static void host_requests_are_read_strictly(void **state)
{
    static const struct refusal cases[] = {
        {"{\"name\":\"g\"}", "/initiators"},
        {"{\"name\":\"g\",\"initiators\":[]}", "/initiators"},
        {"{\"name\":\"g\",\"initiators\":[7]}", "/initiators/0"},
        {"{\"name\":\"g\",\"initiators\":[\"\"]}", "/initiators/0"},
        {"{\"name\":\"g\",\"initiators\":[\"hv1\"]}", "/initiators/0"},
        {"{\"name\":\"g\",\"initiators\":[\"iqn.\"]}", "/initiators/0"},
        {"{\"name\":\"g\",\"initiators\":[\"iqn.a\",\"any\"]}", "/initiators/1"},
        {"{\"name\":\"g\",\"initiators\":[\"iqn.a\",\"iqn.a\"]}", "/initiators/1"},
        {"{\"name\":\"g\",\"initiators\":[\"iqn.a b\"]}", "/initiators/0"},
        {"{\"name\":\"g\",\"initiators\":[\"iqn.a\"],\"profile\":\"ESXi\"}", "/profile"},
        {"{\"name\":\"g\",\"initiators\":[\"iqn.a\"],\"profile\":\"\"}", "/profile"},
    };
    refuses(*state, "/v1/hosts", cases, ARRAY_LEN(cases));
}

static void mapping_requests_are_read_strictly(void **state)
{
    static const struct refusal cases[] = {
        {"{\"host\":\"h\"}", "/volume"},
        {"{\"volume\":\"v\"}", "/host"},
        {"{\"volume\":\"none\",\"host\":\"h\"}", "/volume"},
        {"{\"volume\":\"v\",\"host\":\"none\"}", "/host"},
        {"{\"volume\":\"v\",\"host\":\"h\",\"lun\":16384}", "/lun"},
        {"{\"volume\":\"v\",\"host\":\"h\",\"lun\":-1}", "/lun"},
        {"{\"volume\":\"v\",\"host\":\"h\",\"lun\":\"1\"}", "/lun"},
        {"{\"volume\":\"v\",\"host\":\"h\",\"read_only\":1}", "/read_only"},
        {"{\"volume\":\"v\",\"host\":\"h\",\"export\":\"other\"}", "/export"},
        {"{\"volume\":\"v\",\"host\":\"h\",\"export\":true}", "/export"},
        {"{\"snapshot\":\"v/none\",\"host\":\"h\"}", "/snapshot"},
        {"{\"snapshot\":\"v/s/t\",\"host\":\"h\"}", "/snapshot"},
        {"{\"volume\":\"v\",\"snapshot\":\"v/s\",\"host\":\"h\"}", "/snapshot"},
        {"{\"snapshot\":\"v/s\",\"host\":\"h\",\"read_only\":false}", "/read_only"},
    };
    rig_provision(*state);
    refuses(*state, "/v1/mappings", cases, ARRAY_LEN(cases));
}

static void names_and_ids_both_address(void **state)
{
    static const char *const paths[] = {"/v1/pools/", "/v1/volumes/", "/v1/hosts/"};
    static const char *const names[] = {"p", "v", "h"};
    struct rig *r = *state;
    rig_provision(r);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        char path[96];
        snprintf(path, sizeof(path), "%s%s", paths[i], names[i]);
        assert_int_equal(rig_call(r, "GET", path, NULL), 200);
        snprintf(path, sizeof(path), "%s%s", paths[i], rig_text(r, "id"));
        assert_int_equal(rig_call(r, "GET", path, NULL), 200);
        assert_string_equal(rig_text(r, "name"), names[i]);
    }
}

static void sizes_are_told_in_bytes(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    assert_int_equal(rig_call(r, "GET", "/v1/volumes/v", NULL), 200);
    assert_int_equal(rig_number(r, "size"), 1099511627776);
    assert_int_equal(rig_number(r, "block_size"), 512);
    assert_int_equal(rig_number(r, "physical_block_size"), 4096);
    assert_string_equal(rig_text(r, "created"), "2024-05-01T12:00:00Z");
    assert_int_equal(rig_call(r, "GET", "/v1/pools/p", NULL), 200);
    assert_int_equal(rig_number(r, "size"), 1073741824);
    assert_int_equal(rig_number(r, "provisioned"), 1099511627776);
    assert_int_equal(rig_number(r, "devices/0/size"), 1073741824);
}

static void taken_names_and_used_things_are_409(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    assert_int_equal(rig_call(r, "POST", "/v1/volumes",
                              "{\"name\":\"v\",\"pool\":\"p\",\"size\":4096}"),
                     409);
    assert_string_equal(rig_text(r, "type"), "/problems/exists");
    assert_string_equal(rig_text(r, "pointer"), "/name");
    assert_int_equal(rig_call(r, "DELETE", "/v1/pools/p", NULL), 409);
    assert_string_equal(rig_text(r, "type"), "/problems/in-use");
}

static void mapping_tells_how_to_attach(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    assert_int_equal(rig_call(r, "POST", "/v1/mappings",
                              "{\"volume\":\"v\",\"host\":\"h\",\"lun\":5}"),
                     201);
    assert_string_equal(rig_text(r, "target"), "iqn.2024-01.com.example:ashlar");
    assert_string_equal(rig_text(r, "export"), "shared");
    assert_string_equal(rig_text(r, "portals/0"), "127.0.0.1:3260");
    assert_string_equal(rig_text(r, "uris/0"),
                        "iscsi://127.0.0.1:3260/iqn.2024-01.com.example:ashlar/5");
    assert_string_equal(
        rig_text(r, "qemu/0"),
        "-iscsi initiator-name=iqn.2024-01.com.example:h -drive "
        "file=iscsi://127.0.0.1:3260/iqn.2024-01.com.example:ashlar/5,format=raw,"
        "if=virtio,cache=none,discard=unmap");
    assert_int_equal(rig_call(r, "POST", "/v1/mappings",
                              "{\"volume\":\"v\",\"host\":\"h\",\"lun\":5}"),
                     409);
    assert_string_equal(rig_text(r, "pointer"), "/lun");
}

static void own_target_is_told_by_its_name(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    assert_int_equal(rig_call(r, "POST", "/v1/mappings",
                              "{\"volume\":\"v\",\"host\":\"h\",\"export\":\"own\"}"),
                     201);
    assert_string_equal(rig_text(r, "export"), "own");
    assert_int_equal(json_integer_value(rig_get(r, "lun")), 0);
    assert_string_equal(rig_text(r, "target"),
                        "iqn.2024-01.com.example:ashlar:0123456789abcdef");
    assert_string_equal(
        rig_text(r, "uris/0"),
        "iscsi://127.0.0.1:3260/iqn.2024-01.com.example:ashlar:0123456789abcdef/0");
    assert_non_null(strstr(rig_text(r, "qemu/0"), ":0123456789abcdef/0,"));
}

static void portal_on_all_addresses_is_told_as_real_ones(void **state)
{
    static const char *const any[] = {"0.0.0.0:3260", "[::]:3260"};
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(any); i++) {
        fake_target_set_portal(r->target, any[i]);
        assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
        assert_true(json_array_size(rig_get(r, "portals")) > 0);
        assert_null(strstr(r->answer.body, any[i]));
    }
}

static bool tells_portal(struct rig *r, const char *portal)
{
    size_t i;
    json_t *at;
    json_array_foreach(rig_get(r, "portals"), i, at)
    {
        if (strcmp(json_string_value(at), portal) == 0)
            return true;
    }
    return false;
}

static void ipv6_portal_is_told_as_ipv4_too(void **state)
{
    struct rig *r = *state;
    fake_target_set_portal(r->target, "0.0.0.0:3260");
    assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
    json_t *ipv4 = json_deep_copy(rig_get(r, "portals"));
    size_t i;
    json_t *at;
    fake_target_set_portal(r->target, "[::]:3260");
    assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
    json_array_foreach(ipv4, i, at)
    {
        const char *portal = json_string_value(at);
        if (strncmp(portal, "127.", 4) != 0) /* what a machine without addresses tells */
            assert_true(tells_portal(r, portal));
    }
    json_decref(ipv4);
}

static void a_profile_is_set_shown_and_changed(void **state)
{
    struct rig *r = *state;
    assert_int_equal(
        rig_call(r, "POST", "/v1/hosts",
                 "{\"name\":\"e\",\"initiators\":[\"iqn.e\"],\"profile\":\"esxi\"}"),
        201);
    assert_string_equal(rig_text(r, "profile"), "esxi");
    assert_int_equal(rig_call(r, "PATCH", "/v1/hosts/e", "{\"profile\":\"xen\"}"), 200);
    assert_string_equal(rig_text(r, "profile"), "xen");
    assert_int_equal(rig_call(r, "PATCH", "/v1/hosts/e", "{\"name\":\"f\"}"), 200);
    assert_string_equal(rig_text(r, "profile"), "xen");
}

static void assert_limits(struct rig *r, int iops, int bytes_per_s, int throttled)
{
    assert_int_equal(json_integer_value(json_object_get(rig_get(r, "qos"), "iops")),
                     iops);
    assert_int_equal(
        json_integer_value(json_object_get(rig_get(r, "qos"), "bytes_per_s")),
        bytes_per_s);
    assert_int_equal(
        json_integer_value(json_object_get(rig_get(r, "throttled"), "commands")),
        throttled);
}

static void limits_are_set_shown_and_changed_in_part(void **state)
{
    static const struct {
        const char *path;
        int throttled; /* as the fake tells it */
    } objects[] = {{"/v1/volumes/v", 12}, {"/v1/hosts/h", 21}};
    struct rig *r = *state;
    rig_provision(r);
    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        const char *path = objects[i].path;
        int throttled = objects[i].throttled;
        assert_int_equal(rig_call(r, "GET", path, NULL), 200);
        assert_limits(r, 0, 0, 0);
        assert_int_equal(rig_call(r, "PATCH", path, "{\"qos\":{\"iops\":100}}"), 200);
        assert_limits(r, 100, 0, throttled);
        assert_int_equal(
            rig_call(r, "PATCH", path, "{\"qos\":{\"bytes_per_s\":\"1MiB\"}}"), 200);
        assert_limits(r, 100, 1 << 20, throttled);
        assert_int_equal(rig_call(r, "PATCH", path, "{\"qos\":{\"iops\":0}}"), 200);
        assert_limits(r, 0, 1 << 20, throttled);
    }
}

static void open_mode_carries_a_warning(void **state)
{
    struct rig *r = *state;
    assert_int_equal(
        rig_call(r, "POST", "/v1/hosts", "{\"name\":\"o\",\"initiators\":[\"any\"]}"),
        201);
    assert_int_equal(json_array_size(rig_get(r, "warnings")), 1);
    rig_provision(r);
    assert_int_equal(rig_call(r, "GET", "/v1/hosts/h", NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "warnings")), 0);
}

static void make_mappings(struct rig *r)
{
    static const char *const hosts[] = {"a", "a-b", "b"};
    rig_provision(r);
    for (int h = 0; h < 3; h++) {
        char body[128];
        snprintf(body, sizeof(body), "{\"name\":\"%s\",\"initiators\":[\"iqn.x:%d\"]}",
                 hosts[h], h);
        assert_int_equal(rig_call(r, "POST", "/v1/hosts", body), 201);
        for (int lun = 2; lun < 12; lun += 3) {
            snprintf(body, sizeof(body), "{\"volume\":\"v\",\"host\":\"%s\",\"lun\":%d}",
                     hosts[h], lun);
            assert_int_equal(rig_call(r, "POST", "/v1/mappings", body), 201);
            snprintf(body, sizeof(body),
                     "{\"volume\":\"v\",\"host\":\"%s\",\"lun\":2,\"export\":\"own\"}",
                     hosts[h]);
            assert_int_equal(rig_call(r, "POST", "/v1/mappings", body), 201);
        }
    }
}

/* Walks the list by pages of limit; the count of items, each after the one before. */
static size_t walk(struct rig *r, const char *list, unsigned limit)
{
    char path[256], next[128] = "";
    size_t count = 0;
    for (int page = 0; page < 100; page++) {
        snprintf(path, sizeof(path), "%s?limit=%u%s%s", list, limit,
                 next[0] ? "&after=" : "", next);
        assert_int_equal(rig_call(r, "GET", path, NULL), 200);
        size_t items = json_array_size(rig_get(r, "items"));
        assert_true(items <= limit);
        count += items;
        snprintf(next, sizeof(next), "%s", rig_text(r, "next"));
        if (next[0] == '\0')
            return count;
        assert_int_equal(items, limit);
    }
    fail_msg("%s has no end", list);
    return 0;
}

static void pages_have_every_row_once(void **state)
{
    struct rig *r = *state;
    make_mappings(r);
    for (uint64_t id = 8; id < 13; id++)
        fake_target_add_session(r->target, id, "iqn.x", "h");
    for (unsigned limit = 1; limit <= 14; limit++) {
        assert_int_equal(walk(r, "/v1/mappings", limit), 24);
        assert_int_equal(walk(r, "/v1/hosts", limit), 4);
        assert_int_equal(walk(r, "/v1/sessions", limit), 5);
    }
}

static void cursor_outlives_its_row(void **state)
{
    struct rig *r = *state;
    make_mappings(r);
    assert_int_equal(rig_call(r, "GET", "/v1/mappings?limit=2", NULL), 200);
    char path[160];
    snprintf(path, sizeof(path), "/v1/mappings?limit=100&after=%s", rig_text(r, "next"));
    char gone[96];
    snprintf(gone, sizeof(gone), "/v1/mappings/%s", rig_text(r, "items/1/id"));
    assert_int_equal(rig_call(r, "DELETE", gone, NULL), 204);
    assert_int_equal(rig_call(r, "GET", path, NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 22);
}

static void session_is_told_and_kicked(void **state)
{
    struct rig *r = *state;
    fake_target_add_session(r->target, 41, "iqn.2024-01.com.example:h", "h");
    fake_target_add_session(r->target, 42, "iqn.x:\xff\xfe", "");
    assert_int_equal(rig_call(r, "GET", "/v1/sessions/41", NULL), 200);
    assert_string_equal(rig_text(r, "host"), "h");
    assert_string_equal(rig_text(r, "target"), "iqn.2024-01.com.example:ashlar");
    assert_int_equal(rig_number(r, "portal_group"), 1);
    assert_string_equal(rig_text(r, "type"), "normal");
    assert_int_equal(rig_number(r, "negotiated/max_burst"), 262144);
    assert_string_equal(rig_text(r, "negotiated/task_reporting"), "RFC3720");
    assert_true(json_is_null(rig_get(r, "alias")));
    assert_int_equal(rig_number(r, "counters/r2ts"), 7);
    assert_int_equal(rig_number(r, "counters/task_management/logical_unit_reset"), 2);
    assert_int_equal(rig_number(r, "latency/read/count"), 100);
    assert_int_equal(rig_number(r, "latency/read/p50_us"), 104);
    assert_int_equal(rig_number(r, "latency/read/p99_us"), 104);
    assert_int_equal(rig_number(r, "latency/read/p999_us"), 1010);
    assert_int_equal(rig_number(r, "latency/read/buckets/104"), 99);
    assert_int_equal(rig_number(r, "latency/read/buckets/1024"), 1);
    assert_int_equal(rig_number(r, "latency/write/count"), 0);
    assert_int_equal(rig_call(r, "GET", "/v1/sessions/42", NULL), 200);
    assert_string_equal(rig_text(r, "initiator"), "iqn.x:??");
    assert_true(json_is_null(rig_get(r, "host")));
    assert_true(json_is_null(rig_get(r, "target")));
    assert_int_equal(rig_call(r, "DELETE", "/v1/sessions/41", NULL), 204);
    assert_int_equal(rig_call(r, "GET", "/v1/sessions/41", NULL), 404);
    assert_int_equal(rig_call(r, "DELETE", "/v1/sessions/41", NULL), 404);
    assert_int_equal(rig_call(r, "GET", "/v1/sessions/4x", NULL), 404);
    assert_int_equal(rig_call(r, "DELETE", "/v1/sessions/99999999999999999999", NULL),
                     404);
}

static bool is_known(struct rig *r, const char *authorization)
{
    struct principal who = {.is_known = false};
    bearer_identify(r->m, authorization, &who);
    return who.is_known;
}

static void only_the_hash_of_a_token_is_kept(void **state)
{
    struct rig *r = *state;
    struct token_info info;
    char text[64];
    assert_int_equal(rig_call(r, "POST", "/v1/tokens", "{\"name\":\"t\"}"), 201);
    snprintf(text, sizeof(text), "Bearer %s", rig_text(r, "token"));
    token_describe(token_find(r->m, "t"), &info);
    assert_null(memmem(&info, sizeof(info), text + 7 + 7, 43));
    assert_true(is_known(r, text));
    text[0] = 'b'; /* RFC 9110, 11.1: schemes have no case */
    assert_true(is_known(r, text));
    assert_false(is_known(r, NULL));
    assert_false(is_known(r, "Bearer "));
    assert_false(is_known(r, "Basic dTpw"));
    assert_int_equal(rig_call(r, "POST", "/v1/tokens", "{\"name\":\"u\"}"), 201);
    assert_string_not_equal(rig_text(r, "token"), text + 7);
}

static void metrics_are_prometheus_text(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    assert_int_equal(rig_call(r, "GET", "/metrics", NULL), 200);
    assert_non_null(strstr(r->answer.body, "\nashlar_scsi_commands_total 42\n"));
    static const char *const lines[] = {
        "ashlar_turned_away_total{limit=\"max-logins\"} 3",
        "ashlar_scsi_command_seconds_bucket{op=\"read\",le=\"0.000064\"} 0",
        "ashlar_scsi_command_seconds_bucket{op=\"read\",le=\"0.000128\"} 5",
        "ashlar_scsi_command_seconds_bucket{op=\"read\",le=\"134.217728\"} 5",
        "ashlar_scsi_command_seconds_bucket{op=\"read\",le=\"+Inf\"} 6",
        "ashlar_scsi_command_seconds_sum{op=\"read\"} 2.001500",
        "ashlar_scsi_command_seconds_count{op=\"read\"} 6",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_non_null(strstr(r->answer.body, lines[i]));
    assert_non_null(
        strstr(r->answer.body, "\nashlar_pool_size_bytes{pool=\"p\"} 1073741824\n"));
    assert_non_null(
        strstr(r->answer.body, "\nashlar_api_requests_total{code=\"2xx\"} 3\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(pool_requests_are_read_strictly),
        WITH_RIG(a_pools_page_cache_is_off_until_it_is_asked_for),
        WITH_RIG(volume_requests_are_read_strictly),
        WITH_RIG(host_requests_are_read_strictly),
        WITH_RIG(mapping_requests_are_read_strictly),
        WITH_RIG(names_and_ids_both_address),
        WITH_RIG(sizes_are_told_in_bytes),
        WITH_RIG(taken_names_and_used_things_are_409),
        WITH_RIG(mapping_tells_how_to_attach),
        WITH_RIG(own_target_is_told_by_its_name),
        WITH_RIG(ipv6_portal_is_told_as_ipv4_too),
        WITH_RIG(portal_on_all_addresses_is_told_as_real_ones),
        WITH_RIG(a_profile_is_set_shown_and_changed),
        WITH_RIG(limits_are_set_shown_and_changed_in_part),
        WITH_RIG(open_mode_carries_a_warning),
        WITH_RIG(pages_have_every_row_once),
        WITH_RIG(cursor_outlives_its_row),
        WITH_RIG(session_is_told_and_kicked),
        WITH_RIG(only_the_hash_of_a_token_is_kept),
        WITH_RIG(metrics_are_prometheus_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
