/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts and mappings: what is accepted, refused and by which field, what two that ask at
 * once get, what is there after a restart; answers that wait for the reactors. */
#include "tests/unit/lunmgr/manage_rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- Hosts ------------------------------------------------------------------------- */

static void an_initiator_belongs_to_one_host(void **state)
{
    static const char *const two[] = {"iqn.2026-01.a", "iqn.2026-01.b"};
    static const char *const same[] = {"iqn.2026-01.c", "iqn.2026-01.c"};
    (void)state;
    struct answer a = make_host("h", two, 2);
    assert_int_equal(a.err.code, 0);
    a = make_host_of("g", "iqn.2026-01.b");
    assert_refused(&a, -EEXIST, "initiators");
    assert_null(host_find(rig.manager, "g"));
    a = make_host("g", same, 2);
    assert_refused(&a, -EEXIST, "initiators");
    a = delete_host("h");
    assert_int_equal(a.err.code, 0);
    a = make_host_of("g", "iqn.2026-01.b");
    assert_int_equal(a.err.code, 0);
}

static void an_initiator_is_a_name_of_its_kind(void **state)
{
    static const char *const bad[] = {"",        "x",      "iqn", "IQN.x",
                                      "iqn.a b", "iqn.\n", "Any"};
    char longest[HOST_INITIATOR_MAX] = "iqn.", longer[HOST_INITIATOR_MAX + 1] = "iqn.";
    (void)state;
    struct answer a;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const char *const names[] = {"iqn.good", bad[i]};
        a = make_host("h", names, 2);
        assert_refused(&a, -EINVAL, "initiators/1");
    }
    memset(longest + 4, 'x', sizeof(longest) - 5);
    memset(longer + 4, 'x', sizeof(longer) - 5);
    a = make_host_of("h", longer);
    assert_refused(&a, -EINVAL, "initiators/0");
    a = make_host_of("h", longest);
    assert_int_equal(a.err.code, 0);
    a = make_host("g", NULL, 0);
    assert_refused(&a, -EINVAL, "initiators");
}

static void any_stands_alone_and_once(void **state)
{
    static const char *const mixed[] = {"iqn.2026-01.a", "any"};
    (void)state;
    struct answer a = make_host("h", mixed, 2);
    assert_refused(&a, -EINVAL, "initiators");
    a = make_host_of("h", "any");
    assert_int_equal(a.err.code, 0);
    a = make_host_of("g", "any");
    assert_refused(&a, -EEXIST, "initiators");
}

static void a_host_comes_back_with_its_initiators(void **state)
{
    static const char *const names[] = {"iqn.2026-01.z", "eui.0123456789abcdef",
                                        "naa.5000c50012345678"};
    struct host_info info;
    (void)state;
    struct answer a = make_host("h", names, 3);
    assert_int_equal(a.err.code, 0);
    restart();
    host_describe(host_find(rig.manager, "h"), &info);
    assert_int_equal(info.initiator_count, 3);
    for (int i = 0; i < 3; i++)
        assert_string_equal(info.initiators[i], names[i]);
    assert_int_equal(info.mapping_count, 0);
}

/* ---- Changing ---------------------------------------------------------------------- */

static struct answer change_host(const char *name, const struct host_change *change)
{
    struct answer a = {.came = false};
    host_change(rig.manager, name, change, on_host, &a);
    wait_for(&a);
    return a;
}

static struct answer change_auth(const char *name, const struct auth_change *auth)
{
    const struct host_change change = {.auth = auth};
    return change_host(name, &change);
}

static const bool yes = true, no = false;
static const struct auth_change both_ways = {.chap = &yes,
                                             .user = "hv1",
                                             .secret = "initiator-secret",
                                             .mutual_user = "box",
                                             .mutual_secret = "target-secret-1"};

static const struct auth *auth_of(const char *host)
{
    struct host_info info;
    host_describe(host_find(rig.manager, host), &info);
    return info.auth;
}

static void a_changed_host_keeps_its_mappings(void **state)
{
    static const char *const names[] = {"iqn.b", "iqn.c"};
    const struct host_change change = {
        .name = "a", .initiators = names, .initiator_count = 2};
    struct host_info info;
    (void)state;
    pool_rig_volume(&rig, "v", MIB, 0);
    make_host_of("h", "iqn.a");
    make_host_of("m", "iqn.m");
    map("v", "h", 1);
    map("v", "m", 2);
    struct answer a = change_host("h", &change);
    assert_int_equal(a.err.code, 0);
    assert_null(host_find(rig.manager, "h"));
    assert_non_null(mapping_find(rig.manager, "v/a"));
    assert_ptr_equal(mapping_host(mapping_next(rig.manager, NULL)), a.object);
    restart();
    host_describe(host_find(rig.manager, "a"), &info);
    assert_int_equal(info.initiator_count, 2);
    assert_string_equal(info.initiators[1], "iqn.c");
    assert_int_equal(info.mapping_count, 1);
}

static void a_change_that_clashes_changes_nothing(void **state)
{
    static const char *const taken[] = {"iqn.x", "iqn.b"};
    const struct host_change name = {.name = "g"};
    const struct host_change initiators = {
        .name = "z", .initiators = taken, .initiator_count = 2};
    const struct host_change none = {.initiators = taken};
    (void)state;
    make_host_of("h", "iqn.a");
    make_host_of("g", "iqn.b");
    struct answer a = change_host("h", &name);
    assert_refused(&a, -EEXIST, "name");
    a = change_host("h", &initiators);
    assert_refused(&a, -EEXIST, "initiators");
    a = change_host("h", &none);
    assert_refused(&a, -EINVAL, "initiators");
    a = change_host("nobody", &name);
    assert_refused(&a, -ENOENT, "host");
    assert_non_null(host_find(rig.manager, "h"));
    assert_null(host_find(rig.manager, "z"));
    a = change_auth("h", &both_ways);
    assert_int_equal(a.err.code, 0);
}

static void a_host_under_change_waits_for_its_end(void **state)
{
    const struct host_change change = {.name = "g"};
    struct answer a = {.came = false}, b = {.came = false}, c = {.came = false};
    (void)state;
    make_host_of("h", "iqn.a");
    host_change(rig.manager, "h", &change, on_host, &a);
    host_change(rig.manager, "h", &change, on_host, &b);
    host_delete(rig.manager, "h", on_done, &c);
    wait_for(&a);
    wait_for(&b);
    wait_for(&c);
    assert_int_equal(a.err.code, 0);
    assert_refused(&b, -EBUSY, "host");
    assert_refused(&c, -EBUSY, "host");
    c = delete_host("g");
    assert_int_equal(c.err.code, 0);
}

static void credentials_are_kept_and_go(void **state)
{
    const struct auth_change user = {.user = "other", .forbid_md5 = &yes};
    const struct auth_change none = {.chap = &no};
    (void)state;
    make_host_of("h", "iqn.a");
    assert_false(auth_of("h")->chap);
    struct answer a = change_auth("h", &both_ways);
    assert_int_equal(a.err.code, 0);
    a = change_auth("h", &user);
    assert_int_equal(a.err.code, 0);
    restart();
    assert_true(auth_of("h")->chap);
    assert_true(auth_of("h")->forbid_md5);
    assert_string_equal(auth_of("h")->user, "other");
    assert_int_equal(auth_of("h")->secret.bytes, 16);
    assert_memory_equal(auth_of("h")->secret.value, "initiator-secret", 16);
    assert_memory_equal(auth_of("h")->mutual_secret.value, "target-secret-1", 15);
    a = change_auth("h", &none);
    assert_int_equal(a.err.code, 0);
    assert_false(auth_of("h")->chap);
    assert_int_equal(auth_of("h")->secret.bytes, 0);
    assert_int_equal(auth_of("h")->mutual_secret.bytes, 0);
    assert_true(auth_of("h")->forbid_md5);
}

static void bad_credentials_are_refused_by_field(void **state)
{
    char longest[AUTH_SECRET_BYTES_MAX + 2];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    const struct {
        struct auth_change change;
        const char *field;
    } cases[] = {
        {{.user = "u"}, "auth/method"},
        {{.chap = &no, .secret = "initiator-secret"}, "auth/method"},
        {{.chap = &yes}, "auth/user"},
        {{.chap = &yes, .user = "u"}, "auth/secret"},
        {{.chap = &yes, .user = "u u", .secret = "initiator-secret"}, "auth/user"},
        {{.chap = &yes, .user = "u", .secret = "elevenbytes"}, "auth/secret"},
        {{.chap = &yes, .user = "u", .secret = longest}, "auth/secret"},
        {{.chap = &yes, .user = "u", .secret = "initiator\tsecret"}, "auth/secret"},
        {{.chap = &yes, .user = "u", .secret = "initiator-secret", .mutual_user = "m"},
         "auth/mutual_secret"},
        {{.chap = &yes,
          .user = "u",
          .secret = "initiator-secret",
          .mutual_secret = "target-secret-1"},
         "auth/mutual_user"},
        {{.chap = &yes,
          .user = "u",
          .secret = "initiator-secret",
          .mutual_user = "m",
          .mutual_secret = "initiator-secret"},
         "auth/mutual_secret"},
    };
    (void)state;
    make_host_of("h", "iqn.a");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer a = change_auth("h", &cases[i].change);
        assert_refused(&a, -EINVAL, cases[i].field);
        assert_false(auth_of("h")->chap);
    }
}

static void addresses_are_kept_beside_credentials(void **state)
{
    static const char *const ranges[] = {"192.0.2.0/24", "2001:db8::/32"};
    static const char *const bad[] = {"192.0.2.0/24", "192.0.2.1/24"};
    const struct auth_change set = {.addresses = ranges, .address_count = 2};
    const struct auth_change refused = {.addresses = bad, .address_count = 2};
    const struct auth_change none = {.addresses = ranges, .address_count = 0};
    char text[CIDR_TEXT_MAX];
    (void)state;
    make_host_of("h", "iqn.a");
    struct answer a = change_auth("h", &set);
    assert_int_equal(a.err.code, 0);
    a = change_auth("h", &both_ways);
    assert_int_equal(a.err.code, 0);
    a = change_auth("h", &refused);
    assert_refused(&a, -EINVAL, "addresses/1");
    restart();
    assert_true(auth_of("h")->chap);
    assert_int_equal(auth_of("h")->addresses.count, 2);
    cidr_format(&auth_of("h")->addresses.ranges[1], text);
    assert_string_equal(text, "2001:db8::/32");
    a = change_auth("h", &none);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(auth_of("h")->addresses.count, 0);
    assert_true(auth_of("h")->chap);
}

static struct answer change_box(const struct auth_change *change)
{
    struct answer a = {.came = false};
    auth_box_change(rig.manager, change, on_done, &a);
    wait_for(&a);
    return a;
}

static void the_box_has_credentials_of_its_own(void **state)
{
    const struct auth_change md5 = {.forbid_md5 = &yes};
    const struct auth_change bad = {.chap = &yes};
    struct answer busy = {.came = false}, first = {.came = false};
    (void)state;
    struct answer a = change_box(&both_ways);
    assert_int_equal(a.err.code, 0);
    auth_box_change(rig.manager, &md5, on_done, &first);
    auth_box_change(rig.manager, &md5, on_done, &busy);
    wait_for(&first);
    wait_for(&busy);
    assert_int_equal(first.err.code, 0);
    assert_refused(&busy, -ECANCELED, "");
    restart();
    assert_true(auth_box(rig.manager)->forbid_md5);
    assert_string_equal(auth_box(rig.manager)->user, "hv1");
    a = change_box(&bad);
    assert_refused(&a, -EINVAL, "discovery/user");
}

/* ---- Mappings ---------------------------------------------------------------------- */

static void make_volumes(unsigned count)
{
    char name[8];
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "v%u", i);
        pool_rig_volume(&rig, name, MIB, 0);
    }
}

static void the_lowest_free_lun_is_chosen(void **state)
{
    (void)state;
    make_volumes(5);
    make_host_of("h", "iqn.a");
    make_host_of("g", "iqn.b");
    struct answer a = map("v0", "h", LUN_ANY);
    assert_int_equal(lun_of(&a), 0);
    a = map("v1", "h", 2);
    assert_int_equal(lun_of(&a), 2);
    a = map("v2", "h", LUN_ANY);
    assert_int_equal(lun_of(&a), 1);
    a = map("v3", "h", LUN_ANY);
    assert_int_equal(lun_of(&a), 3);
    a = map("v0", "g", LUN_ANY); /* another host's are its own */
    assert_int_equal(lun_of(&a), 0);
    a = unmap("v0/h");
    assert_int_equal(a.err.code, 0);
    a = map("v4", "h", LUN_ANY);
    assert_int_equal(lun_of(&a), 0);
}

static void two_that_ask_at_once_get_two_luns(void **state)
{
    struct answer a = {.came = false}, b = {.came = false};
    struct mapping_spec one = {.volume = "v0", .host = "h", .lun = LUN_ANY};
    struct mapping_spec other = {.volume = "v1", .host = "h", .lun = LUN_ANY};
    (void)state;
    make_volumes(2);
    make_host_of("h", "iqn.a");
    mapping_create(rig.manager, &one, on_mapping, &a);
    mapping_create(rig.manager, &other, on_mapping, &b);
    assert_int_equal(wait_for(&a), 0);
    assert_int_equal(wait_for(&b), 0);
    assert_int_equal(lun_of(&a), 0);
    assert_int_equal(lun_of(&b), 1);
}

static void a_lun_and_a_pair_are_unique(void **state)
{
    (void)state;
    make_volumes(2);
    make_host_of("h", "iqn.a");
    struct answer a = map("v0", "h", 7);
    assert_int_equal(lun_of(&a), 7);
    a = map("v1", "h", 7);
    assert_refused(&a, -EEXIST, "lun");
    a = map("v0", "h", 8);
    assert_refused(&a, -EEXIST, "volume");
    a = map("v1", "h", LUN_MAX + 1);
    assert_refused(&a, -EINVAL, "lun");
    a = map("v1", "h", LUN_MAX);
    assert_int_equal(lun_of(&a), LUN_MAX);
    a = map("v1", "nobody", 1);
    assert_refused(&a, -ENOENT, "host");
    a = map("nothing", "h", 1);
    assert_refused(&a, -ENOENT, "volume");
}

static struct answer map_own(const char *volume, const char *host, uint16_t lun)
{
    struct answer a = {.came = false};
    struct mapping_spec spec = {
        .volume = volume, .host = host, .lun = lun, .own_target = true};
    mapping_create(rig.manager, &spec, on_mapping, &a);
    wait_for(&a);
    return a;
}

/* Own targets take no LUN of the shared one and have 0 by themselves; they stand behind
 * the shared one's LUN of that number, before and after a restart. */
static void own_targets_stand_beside_the_shared_one(void **state)
{
    static const bool want_own[] = {false, true, true, false, true};
    static const unsigned want_lun[] = {0, 0, 0, 1, 5};
    (void)state;
    make_volumes(5);
    make_host_of("h", "iqn.a");
    struct answer a = map_own("v0", "h", LUN_ANY);
    assert_int_equal(lun_of(&a), 0);
    a = map_own("v1", "h", LUN_ANY);
    assert_int_equal(lun_of(&a), 0);
    a = map_own("v2", "h", 5);
    assert_int_equal(lun_of(&a), 5);
    a = map("v3", "h", LUN_ANY);
    assert_int_equal(lun_of(&a), 0);
    a = map("v4", "h", LUN_ANY);
    assert_int_equal(lun_of(&a), 1);
    a = map("v0", "h", 9);
    assert_refused(&a, -EEXIST, "volume");
    a = map_own("v1", "h", LUN_MAX + 1);
    assert_refused(&a, -EINVAL, "lun");
    for (int again = 0; again < 2; again++) {
        struct mapping *m = NULL;
        for (size_t i = 0; i < ARRAY_LEN(want_own); i++) {
            struct mapping_info info;
            m = mapping_next(rig.manager, m);
            assert_non_null(m);
            mapping_describe(m, &info);
            assert_int_equal(info.own_target, want_own[i]);
            assert_int_equal(info.lun, want_lun[i]);
            assert_ptr_equal(mapping_find(rig.manager, info.id), m);
        }
        assert_null(mapping_next(rig.manager, m));
        restart();
    }
    a = unmap("v0/h");
    assert_int_equal(a.err.code, 0);
    assert_null(mapping_find(rig.manager, "v0/h"));
    assert_non_null(mapping_find(rig.manager, "v1/h"));
}

static void what_is_mapped_is_not_deleted(void **state)
{
    struct err e;
    (void)state;
    make_volumes(1);
    make_host_of("h", "iqn.a");
    struct answer a = map("v0", "h", LUN_ANY);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(pool_rig_delete_volume(&rig, "v0", &e), -EBUSY);
    a = delete_host("h");
    assert_refused(&a, -EBUSY, "host");
    a = unmap("v0/h");
    assert_int_equal(a.err.code, 0);
    a = unmap("v0/h");
    assert_refused(&a, -ENOENT, "mapping");
    a = delete_host("h");
    assert_int_equal(a.err.code, 0);
    assert_int_equal(pool_rig_delete_volume(&rig, "v0", &e), 0);
}

/* Of a deletion and a mapping that ask at once, the later is refused. */
static void a_mapping_and_a_deletion_exclude_each_other(void **state)
{
    struct mapping_spec spec = {.volume = "v0", .host = "h", .lun = LUN_ANY};
    struct answer a = {.came = false}, b = {.came = false}, c = {.came = false};
    (void)state;
    make_volumes(2);
    make_host_of("h", "iqn.a");
    mapping_create(rig.manager, &spec, on_mapping, &a);
    volume_delete(rig.manager, "v0", true, on_done, &b);
    host_delete(rig.manager, "h", on_done, &c);
    assert_int_equal(wait_for(&a), 0);
    wait_for(&b);
    wait_for(&c);
    assert_refused(&b, -EBUSY, "volume");
    assert_refused(&c, -EBUSY, "host");

    struct answer d = {.came = false}, x = {.came = false};
    spec.volume = "v1";
    volume_delete(rig.manager, "v1", true, on_done, &d);
    mapping_create(rig.manager, &spec, on_mapping, &x);
    assert_int_equal(wait_for(&d), 0);
    wait_for(&x);
    assert_refused(&x, -ENOENT, "volume");
}

static void mappings_come_back_and_in_order(void **state)
{
    static const char *const want[] = {"g 3", "h 0", "h 9", "h 10", "h-1 0"};
    (void)state;
    make_volumes(3);
    make_host_of("h", "iqn.a");
    make_host_of("g", "iqn.b");
    make_host_of("h-1", "iqn.c"); /* behind all of h */
    map("v2", "h-1", 0);
    map("v0", "h", 10);
    map("v1", "h", 9);
    map("v2", "h", 0);
    map("v0", "g", 3);
    for (int again = 0; again < 2; again++) {
        struct mapping *m = NULL;
        for (size_t i = 0; i < ARRAY_LEN(want); i++) {
            struct mapping_info info;
            char text[160];
            m = mapping_next(rig.manager, m);
            assert_non_null(m);
            mapping_describe(m, &info);
            snprintf(text, sizeof(text), "%s %u", info.host_name, info.lun);
            assert_string_equal(text, want[i]);
            assert_ptr_equal(mapping_find(rig.manager, info.id), m);
            snprintf(text, sizeof(text), "%s/%s", info.volume_name, info.host_name);
            assert_ptr_equal(mapping_find(rig.manager, text), m);
        }
        assert_null(mapping_next(rig.manager, m));
        restart();
    }
    struct volume_info v;
    struct host_info h;
    volume_describe(volume_find(rig.manager, "v0"), &v);
    host_describe(host_find(rig.manager, "h"), &h);
    assert_int_equal(v.mapping_count, 2);
    assert_int_equal(h.mapping_count, 3);
    assert_null(mapping_find(rig.manager, "v0/x"));
    assert_null(mapping_find(rig.manager, "v/h"));
}

/* A mapping of a snapshot is found by its three names and is read-only, whatever was
 * asked; one of a volume does not take a snapshot's id for the volume's. */
static void a_snapshot_is_mapped_read_only_under_its_own_names(void **state)
{
    struct volume *s = NULL;
    (void)state;
    make_volumes(1);
    make_host_of("h", "iqn.a");
    assert_int_equal(rig_snapshot(&rig, "v0", "s", &s, NULL), 0);
    map("v0", "h", 0);
    struct answer a = {.came = false};
    struct mapping_spec spec = {.snapshot = "v0/s", .host = "h", .lun = 1};
    mapping_create(rig.manager, &spec, on_mapping, &a);
    assert_int_equal(wait_for(&a), 0);
    for (int again = 0; again < 2; again++) {
        struct mapping_info info;
        struct mapping *m = mapping_find(rig.manager, "v0/s/h");
        assert_non_null(m);
        mapping_describe(m, &info);
        assert_true(info.read_only);
        assert_string_equal(info.volume_name, "v0");
        assert_string_equal(info.volume_id, volume_id(volume_find(rig.manager, "v0")));
        assert_string_equal(info.snapshot_name, "s");
        assert_string_equal(info.snapshot_id,
                            volume_id(snapshot_find(rig.manager, "v0/s")));
        mapping_describe(mapping_find(rig.manager, "v0/h"), &info);
        assert_string_equal(info.snapshot_id, "");
        assert_false(info.read_only);
        restart();
    }
    char id[VOLUME_ID_MAX];
    snprintf(id, sizeof(id), "%s", volume_id(snapshot_find(rig.manager, "v0/s")));
    a = map(id, "h", 2);
    assert_refused(&a, -ENOENT, "volume");
    spec.snapshot = "v0";
    a = (struct answer){.came = false};
    mapping_create(rig.manager, &spec, on_mapping, &a);
    wait_for(&a);
    assert_refused(&a, -ENOENT, "snapshot");
    assert_int_equal(snapshot_count(rig.manager), 1);
}

struct settle {
    unsigned count;
    uint64_t ticket;
};

static void on_access_changed(void *arg, uint64_t ticket)
{
    struct settle *s = arg;
    s->count++;
    s->ticket = ticket;
}

static bool settle_asked(void *arg)
{
    return ((struct settle *)arg)->count > 0;
}

static void an_unmapping_is_answered_when_the_reactors_have_seen_it(void **state)
{
    struct settle s = {.count = 0};
    struct lunmgr_events events = {.arg = &s, .access_changed = on_access_changed};
    (void)state;
    make_volumes(1);
    make_host_of("h", "iqn.a");
    struct answer a = map("v0", "h", LUN_ANY), b = {.came = false};
    assert_int_equal(a.err.code, 0);
    lunmgr_set_events(rig.manager, &events);
    mapping_delete(rig.manager, "v0/h", on_done, &b);
    pool_rig_until(&rig, settle_asked, &s);
    assert_null(mapping_find(rig.manager, "v0/h")); /* the objects are as they will be */
    pool_rig_turn(&rig);
    assert_false(b.came);
    assert_int_equal(pool_rig_delete_volume(&rig, "v0", NULL), -EBUSY);
    lunmgr_settled(rig.manager, s.ticket + 1); /* not its */
    assert_false(b.came);
    lunmgr_settled(rig.manager, s.ticket);
    assert_int_equal(wait_for(&b), 0);
    assert_int_equal(pool_rig_delete_volume(&rig, "v0", NULL), 0);
    lunmgr_set_events(rig.manager, &(struct lunmgr_events){.arg = NULL});
}

/* What is under way when the manager closes is answered, the reactors' word or not. */
static void closing_answers_what_is_under_way(void **state)
{
    struct settle s = {.count = 0};
    struct lunmgr_events events = {.arg = &s, .access_changed = on_access_changed};
    struct answer unmapped = {.came = false}, made = {.came = false},
                  checked = {.came = false}, hosted = {.came = false};
    struct volume_spec spec = {.name = "w", .pool = "p", .size_bytes = MIB};
    const char *const initiator = "iqn.b";
    struct host_spec host = {.name = "g", .initiators = &initiator, .initiator_count = 1};
    (void)state;
    make_volumes(1);
    make_host_of("h", "iqn.a");
    struct answer a = map("v0", "h", LUN_ANY);
    assert_int_equal(a.err.code, 0);
    lunmgr_set_events(rig.manager, &events);
    mapping_delete(rig.manager, "v0/h", on_done, &unmapped);
    pool_rig_until(&rig, settle_asked, &s);
    volume_create(rig.manager, &spec, on_volume, &made);
    pool_check(rig.manager, "p", on_job, &checked);
    host_create(rig.manager, &host, on_host, &hosted);
    pool_rig_close(&rig);
    assert_true(unmapped.came && made.came && checked.came && hosted.came);
    assert_int_equal(unmapped.err.code, 0);
    assert_int_equal(made.err.code, 0);
    pool_rig_open(&rig);
    assert_non_null(volume_find(rig.manager, "w"));
    assert_non_null(host_find(rig.manager, "g"));
    assert_null(mapping_find(rig.manager, "v0/h"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MANAGE_TEST(an_initiator_belongs_to_one_host),
        MANAGE_TEST(an_initiator_is_a_name_of_its_kind),
        MANAGE_TEST(any_stands_alone_and_once),
        MANAGE_TEST(a_host_comes_back_with_its_initiators),
        MANAGE_TEST(a_changed_host_keeps_its_mappings),
        MANAGE_TEST(a_change_that_clashes_changes_nothing),
        MANAGE_TEST(a_host_under_change_waits_for_its_end),
        MANAGE_TEST(credentials_are_kept_and_go),
        MANAGE_TEST(bad_credentials_are_refused_by_field),
        MANAGE_TEST(addresses_are_kept_beside_credentials),
        MANAGE_TEST(the_box_has_credentials_of_its_own),
        MANAGE_TEST(the_lowest_free_lun_is_chosen),
        MANAGE_TEST(two_that_ask_at_once_get_two_luns),
        MANAGE_TEST(a_lun_and_a_pair_are_unique),
        MANAGE_TEST(what_is_mapped_is_not_deleted),
        MANAGE_TEST(own_targets_stand_beside_the_shared_one),
        MANAGE_TEST(a_mapping_and_a_deletion_exclude_each_other),
        MANAGE_TEST(mappings_come_back_and_in_order),
        MANAGE_TEST(a_snapshot_is_mapped_read_only_under_its_own_names),
        MANAGE_TEST(an_unmapping_is_answered_when_the_reactors_have_seen_it),
        MANAGE_TEST(closing_answers_what_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
