/* SPDX-License-Identifier: Apache-2.0 */
/* The access snapshot: who sees what, and what a change of hosts and mappings changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lunmgr/host.h"
#include "target/lu.h"
#include "target/unit.h"
#include "tests/unit/target/fake_vio.h"

#include <string.h>

#define BOX       "iqn.2026-11.org.ashlar:box"
#define OWN_SMALL BOX ":0000000000000002"
#define OWN_LARGE BOX ":0000000000000001"

/* Hosts and mappings as lunmgr has them: in order of name, then of LUN. */
struct host {
    const char *name;
    const char *initiators[3];
    size_t initiator_count;
    struct auth auth;
};
struct mapping {
    struct host *host;
    struct volume *volume;
    uint16_t lun;
    bool read_only, own_target;
};
struct lunmgr {
    struct host *hosts;
    size_t host_count;
    struct mapping *mappings;
    size_t mapping_count;
    struct auth box_auth;
};

const struct auth *auth_box(const struct lunmgr *m)
{
    return &m->box_auth;
}

struct host *host_next(struct lunmgr *m, const struct host *prev)
{
    size_t next = prev == NULL ? 0 : (size_t)(prev - m->hosts) + 1;
    return next < m->host_count ? &m->hosts[next] : NULL;
}

void host_describe(const struct host *host, struct host_info *out)
{
    *out = (struct host_info){
        .initiators = host->initiators,
        .initiator_count = host->initiator_count,
        .auth = &host->auth,
    };
    strncpy(out->name, host->name, sizeof(out->name) - 1);
}

struct mapping *mapping_next(struct lunmgr *m, const struct mapping *prev)
{
    size_t next = prev == NULL ? 0 : (size_t)(prev - m->mappings) + 1;
    return next < m->mapping_count ? &m->mappings[next] : NULL;
}

void mapping_describe(const struct mapping *mapping, struct mapping_info *out)
{
    *out = (struct mapping_info){.lun = mapping->lun,
                                 .read_only = mapping->read_only,
                                 .own_target = mapping->own_target};
}

struct volume *mapping_volume(const struct mapping *mapping)
{
    return mapping->volume;
}

struct host *mapping_host(const struct mapping *mapping)
{
    return mapping->host;
}

struct box {
    struct volume *small, *large;
    struct host hosts[3];
    struct mapping mappings[4];
    struct lunmgr m;
};

static int box_create(void **state)
{
    struct box *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    b->small = fake_volume_create(4U << 20, 512);
    b->large = fake_volume_create(8U << 20, 4096);
    memcpy(b->small->serial, "0000000000000002", 17);
    memcpy(b->large->serial, "0000000000000001", 17);
    b->hosts[0] = (struct host){
        .name = "alpha", .initiators = {"iqn.a:1", "iqn.a:2"}, .initiator_count = 2};
    b->hosts[1] =
        (struct host){.name = "beta", .initiators = {"iqn.b"}, .initiator_count = 1};
    b->hosts[2] =
        (struct host){.name = "open", .initiators = {"any"}, .initiator_count = 1};
    b->mappings[0] = (struct mapping){&b->hosts[0], b->small, 0, false, false};
    b->mappings[1] = (struct mapping){&b->hosts[0], b->large, 7, true, false};
    b->mappings[2] = (struct mapping){&b->hosts[2], b->large, 300, false, false};
    b->m = (struct lunmgr){
        .hosts = b->hosts, .host_count = 3, .mappings = b->mappings, .mapping_count = 3};
    *state = b;
    return 0;
}

static int box_destroy(void **state)
{
    struct box *b = *state;
    volume_put(b->small);
    volume_put(b->large);
    free(b);
    return 0;
}

static void each_initiator_sees_its_own_hosts_luns(void **state)
{
    struct box *b = *state;
    struct access *a;
    assert_int_equal(access_create(&b->m, BOX, NULL, &a), 0);
    const struct view *alpha = access_view(a, "iqn.a:2", BOX);
    assert_non_null(alpha);
    assert_ptr_equal(alpha, access_view(a, "iqn.a:1", BOX));
    assert_ptr_equal(alpha, access_view(a, "IQN.A:1", BOX));
    assert_string_equal(alpha->host->name, "alpha");
    assert_int_equal(alpha->lu_count, 2);
    assert_int_equal(alpha->luns[1], 7);
    assert_ptr_equal(view_lu(alpha, 0)->volume, b->small);
    assert_int_equal(lu_block_count(view_lu(alpha, 0)), (4U << 20) / 512);
    assert_int_equal(view_lu(alpha, 0)->physical_exponent, 3);
    assert_int_equal(lu_block_bytes(view_lu(alpha, 7)), 4096);
    assert_int_equal(view_lu(alpha, 7)->physical_exponent, 0);
    assert_true(view_lu(alpha, 7)->read_only);
    assert_null(view_lu(alpha, 1));
    assert_null(view_lu(alpha, 300));
    access_put(a);
}

static void own_host_without_luns_hides_the_open_ones(void **state)
{
    struct box *b = *state;
    struct access *a;
    assert_int_equal(access_create(&b->m, BOX, NULL, &a), 0);
    const struct view *beta = access_view(a, "iqn.b", BOX);
    assert_string_equal(beta->host->name, "beta");
    assert_int_equal(beta->lu_count, 0);
    access_put(a);
}

static void unknown_initiator_sees_the_open_host_or_nothing(void **state)
{
    struct box *b = *state;
    struct access *a;
    assert_int_equal(access_create(&b->m, BOX, NULL, &a), 0);
    const struct view *open = access_view(a, "iqn.stranger", BOX);
    assert_string_equal(open->host->name, "open");
    assert_ptr_equal(view_lu(open, 300)->volume, b->large);
    access_put(a);

    b->m.host_count = 2;
    b->m.mapping_count = 2;
    assert_int_equal(access_create(&b->m, BOX, NULL, &a), 0);
    assert_null(access_view(a, "iqn.stranger", BOX));
    assert_null(access_view(a, "any", BOX));
    assert_null(view_lu(NULL, 0));
    access_put(a);
}

static void snapshot_holds_its_volumes_until_the_last_put(void **state)
{
    struct box *b = *state;
    struct access *a;
    assert_int_equal(access_create(&b->m, BOX, NULL, &a), 0);
    assert_int_equal(b->large->refs, 2);
    assert_ptr_equal(access_get(a), a);
    access_put(a);
    assert_int_equal(b->large->refs, 2);
    access_put(a);
    assert_int_equal(b->large->refs, 1);
    assert_int_equal(b->small->refs, 1);
}

static void unit_is_one_for_all_hosts_and_lives_on(void **state)
{
    struct box *b = *state;
    struct access *before;
    struct access *after;
    assert_int_equal(access_create(&b->m, BOX, NULL, &before), 0);
    struct unit *unit = view_lu(access_view(before, "iqn.a:1", BOX), 7)->unit;
    assert_ptr_equal(view_lu(access_view(before, "iqn.any", BOX), 300)->unit, unit);
    const struct modes protect = {.write_protect = true};
    const struct modes none = {.write_protect = false};
    unsigned modes = unit_set_modes(unit, &protect, false);
    assert_int_equal(access_create(&b->m, BOX, before, &after), 0);
    access_put(before);
    unit = view_lu(access_view(after, "iqn.a:1", BOX), 7)->unit;
    assert_int_equal(unit_modes(unit), modes);
    assert_int_equal(unit_set_modes(unit, &protect, false), modes);
    assert_int_not_equal(unit_set_modes(unit, &none, false), modes);
    access_put(after);
    assert_int_equal(b->large->refs, 1);
}

static void a_unit_begins_with_what_was_saved(void **state)
{
    struct box *b = *state;
    struct access *a;
    struct mode_values values;
    b->small->has_saved_modes = true;
    b->small->saved_modes = (struct modes){.write_protect = true};
    assert_int_equal(access_create(&b->m, BOX, NULL, &a), 0);
    size_t units = 0;
    for (struct unit *u; (u = access_unit(a, units)) != NULL; units++) {
        unit_values(u, &values);
        assert_int_equal(values.current.write_protect, u->volume == b->small);
        assert_int_equal(values.saved.write_protect, u->volume == b->small);
        assert_true(values.defaults.write_cache);
        assert_int_equal(values.defaults.thresholds[0].extents, 1000);
        assert_int_equal(unit_modes(u), u->volume == b->small
                                            ? UNIT_WRITE_PROTECT | UNIT_WRITE_THROUGH
                                            : 0);
    }
    assert_int_equal(units, 2);
    access_put(a);
}

static void a_unit_of_512_native_has_no_larger_physical_block(void **state)
{
    struct box *b = *state;
    struct access *a;
    b->small->physical_bytes = 512;
    assert_int_equal(access_create(&b->m, BOX, NULL, &a), 0);
    const struct lu *lu = view_lu(access_view(a, "iqn.a:1", BOX), 0);
    assert_int_equal(lu_block_bytes(lu), 512);
    assert_int_equal(lu->physical_exponent, 0);
    access_put(a);
}

static void change_of_volume_right_or_number_is_seen(void **state)
{
    struct box *b = *state;
    struct access *before;
    struct access *after;
    assert_int_equal(access_create(&b->m, BOX, NULL, &before), 0);
    const struct view *was = access_view(before, "iqn.a:1", BOX);
    const struct lu *first = view_lu(was, 0);

    assert_int_equal(access_create(&b->m, BOX, before, &after), 0);
    const struct view *now = access_view(after, "iqn.a:1", BOX);
    assert_false(view_differs(was, now));
    assert_true(view_keeps(now, first));
    access_put(after);

    b->mappings[0].read_only = true;
    assert_int_equal(access_create(&b->m, BOX, before, &after), 0);
    now = access_view(after, "iqn.a:1", BOX);
    assert_true(view_differs(was, now));
    assert_false(view_keeps(now, first));
    assert_true(view_keeps(now, view_lu(was, 7)));
    access_put(after);

    b->mappings[0].read_only = false;
    b->mappings[0].volume = b->large;
    assert_int_equal(access_create(&b->m, BOX, before, &after), 0);
    assert_false(view_keeps(access_view(after, "iqn.a:1", BOX), first));
    assert_false(view_differs(access_view(before, "iqn.b", BOX),
                              access_view(after, "iqn.b", BOX)));
    assert_true(view_differs(was, NULL));
    assert_false(view_keeps(NULL, first));
    access_put(after);
    access_put(before);
}

static void each_host_has_its_own_credentials(void **state)
{
    struct box *b = *state;
    struct access *a;
    b->hosts[1].auth = (struct auth){.chap = true, .user = "beta"};
    b->m.box_auth = (struct auth){.chap = true, .user = "box"};
    assert_int_equal(access_create(&b->m, BOX, NULL, &a), 0);
    assert_false(access_auth(a, "iqn.a:2", false)->chap);
    assert_string_equal(access_auth(a, "iqn.b", false)->user, "beta");
    assert_string_equal(access_auth(a, "iqn.b", true)->user, "box");
    assert_string_equal(access_auth(a, "iqn.unknown", true)->user, "box");
    assert_false(access_auth(a, "iqn.b", false)->forbid_md5);
    access_put(a);
    b->m.box_auth.forbid_md5 = true; /* for all */
    assert_int_equal(access_create(&b->m, BOX, NULL, &a), 0);
    assert_true(access_auth(a, "iqn.b", false)->forbid_md5);
    access_put(a);
}

/* Two own targets of a host beside the shared one: each shows its LUN alone, and they are
 * in order of name though the mappings are not. */
static void own_targets_are_views_of_their_own(void **state)
{
    struct box *b = *state;
    struct access *a;
    b->mappings[0].own_target = true;
    b->mappings[1] = (struct mapping){&b->hosts[0], b->large, 0, true, true};
    b->mappings[2] = (struct mapping){&b->hosts[2], b->large, 300, false, false};
    assert_int_equal(access_create(&b->m, BOX, NULL, &a), 0);
    const struct access_host *alpha = access_host(a, "iqn.a:1");
    assert_int_equal(alpha->view_count, 3);
    assert_string_equal(alpha->views[0].target, BOX);
    assert_int_equal(alpha->views[0].lu_count, 0);
    assert_string_equal(alpha->views[1].target, OWN_LARGE);
    assert_string_equal(alpha->views[2].target, OWN_SMALL);
    const struct view *small = access_view(a, "iqn.a:2", OWN_SMALL);
    assert_ptr_equal(small, &alpha->views[2]);
    assert_ptr_equal(small->host, alpha);
    assert_int_equal(small->lu_count, 1);
    assert_ptr_equal(view_lu(small, 0)->volume, b->small);
    assert_ptr_equal(access_view(a, "iqn.a:2", "IQN.2026-11.org.ashlar:box"),
                     &alpha->views[0]);
    const struct view *large = access_view(a, "iqn.a:2", OWN_LARGE);
    assert_ptr_equal(view_lu(large, 0)->volume, b->large);
    assert_true(view_lu(large, 0)->read_only);
    assert_int_equal(large->luns[0], 0);
    access_put(a);
}

static void nobody_else_sees_an_own_target(void **state)
{
    struct box *b = *state;
    struct access *a;
    b->mappings[0].own_target = true;
    assert_int_equal(access_create(&b->m, BOX, NULL, &a), 0);
    assert_non_null(access_view(a, "iqn.a:1", OWN_SMALL));
    assert_null(access_view(a, "iqn.a:1", OWN_LARGE)); /* a LUN of the shared one */
    assert_non_null(access_view(a, "iqn.a:1", BOX));
    assert_null(access_view(a, "iqn.b", OWN_SMALL));
    assert_null(access_view(a, "iqn.stranger", OWN_SMALL));
    assert_null(access_view(a, "iqn.a:1", BOX ":"));
    assert_null(access_view(a, "iqn.a:1", ""));
    access_put(a);
}

/* What one target shows is no matter of the others. */
static void a_new_own_target_changes_no_other_view(void **state)
{
    struct box *b = *state;
    struct access *before, *after;
    assert_int_equal(access_create(&b->m, BOX, NULL, &before), 0);
    b->mappings[3] = b->mappings[2];
    b->mappings[2] = (struct mapping){&b->hosts[1], b->large, 0, false, true};
    b->m.mapping_count = 4;
    assert_int_equal(access_create(&b->m, BOX, before, &after), 0);
    assert_false(view_differs(access_view(before, "iqn.b", BOX),
                              access_view(after, "iqn.b", BOX)));
    assert_null(access_view(before, "iqn.b", OWN_LARGE));
    const struct view *own = access_view(after, "iqn.b", OWN_LARGE);
    assert_true(view_shows(own, b->large));
    assert_ptr_equal(view_lu(own, 0)->unit,
                     view_lu(access_view(after, "iqn.x", BOX), 300)->unit);
    access_put(before);
    access_put(after);
}

static void a_mapping_has_the_name_of_its_target(void **state)
{
    struct box *b = *state;
    char name[NODE_NAME_MAX + 1];
    access_target_name(BOX, &b->mappings[0], name);
    assert_string_equal(name, BOX);
    b->mappings[0].own_target = true;
    access_target_name(BOX, &b->mappings[0], name);
    assert_string_equal(name, OWN_SMALL);
    assert_int_equal(strlen(name), strlen(BOX) + OWN_TARGET_SUFFIX);
}

int main(void)
{
#define BOXED(name) cmocka_unit_test_setup_teardown(name, box_create, box_destroy)
    const struct CMUnitTest tests[] = {
        BOXED(each_initiator_sees_its_own_hosts_luns),
        BOXED(own_targets_are_views_of_their_own),
        BOXED(nobody_else_sees_an_own_target),
        BOXED(a_new_own_target_changes_no_other_view),
        BOXED(a_mapping_has_the_name_of_its_target),
        BOXED(own_host_without_luns_hides_the_open_ones),
        BOXED(unknown_initiator_sees_the_open_host_or_nothing),
        BOXED(snapshot_holds_its_volumes_until_the_last_put),
        BOXED(unit_is_one_for_all_hosts_and_lives_on),
        BOXED(a_unit_begins_with_what_was_saved),
        BOXED(a_unit_of_512_native_has_no_larger_physical_block),
        BOXED(change_of_volume_right_or_number_is_seen),
        BOXED(each_host_has_its_own_credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
