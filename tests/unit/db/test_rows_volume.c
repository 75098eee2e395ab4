/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of volumes, hosts and mappings: each comes back as it was stored, and what
 * must not be is refused with its field. */
#include "rows_rig.h"

#include <errno.h>
#include <string.h>

COLLECTOR(volume_row)
COLLECTOR(host_row)
COLLECTOR(mapping_row)

static struct err last;

/* ---- Volumes ----------------------------------------------------------------------- */

static void a_volume_comes_back(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    add_volume(r, "v1", "web");
    add_volume(r, "v2", "db");
    struct volume_rows list = all_volume_row(r);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.rows[0].name, "db");
    assert_string_equal(list.rows[1].name, "web");
    assert_string_equal(list.rows[1].id, "v1");
    assert_string_equal(list.rows[1].pool_id, "p1");
    assert_int_equal(list.rows[1].top_layer, 1);
    assert_int_equal(list.rows[1].size_bytes, UINT64_C(64) << 40);
    assert_int_equal(list.rows[1].block_bytes, 512);
    assert_int_equal(list.rows[1].physical_bytes, 4096);
    assert_int_equal(list.rows[1].naa_serial, 101);
    assert_int_equal(list.rows[1].created_s, -5);
}

static void a_volume_that_clashes_is_refused(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    add_volume(r, "v1", "web");
    uint32_t layer = add_layer(r, 0);
    struct volume_row row = sample_volume("v2", "web", layer);
    assert_refused(volume_row_add(&r->txn, &row, &last), -EEXIST, "name");
    row = sample_volume("v1", "db", layer);
    assert_refused(volume_row_add(&r->txn, &row, &last), -EEXIST, "id");
    row = sample_volume("v2", "db", 1);
    row.naa_serial = 7;
    assert_refused(volume_row_add(&r->txn, &row, &last), -EEXIST, "top_layer");
    row = sample_volume("v2", "db", layer);
    row.naa_serial = 101;
    assert_refused(volume_row_add(&r->txn, &row, &last), -EEXIST, "naa_serial");
    row = sample_volume("v2", "db", 99);
    assert_refused(volume_row_add(&r->txn, &row, &last), -ENOENT, "top_layer");
    row = sample_volume("v2", "db", layer);
    row.pool_id[1] = '9';
    assert_refused(volume_row_add(&r->txn, &row, &last), -ENOENT, "pool");
    row = sample_volume("v2", "db", layer);
    row.size_bytes = 0;
    assert_refused(volume_row_add(&r->txn, &row, &last), -EINVAL, "size");
    row.size_bytes = (UINT64_C(1) << 47) + 1; /* 128 TiB is the most */
    assert_refused(volume_row_add(&r->txn, &row, &last), -EINVAL, "size");
    row.size_bytes--;
    row.block_bytes = 1024;
    assert_refused(volume_row_add(&r->txn, &row, &last), -EINVAL, "block_bytes");
    row.block_bytes = 4096;
    row.physical_bytes = 512;
    assert_refused(volume_row_add(&r->txn, &row, &last), -EINVAL, "physical_bytes");
    row.physical_bytes = 4096;
    assert_int_equal(volume_row_add(&r->txn, &row, NULL), 0);
}

static void a_mapped_volume_and_host_stay(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    add_volume(r, "v1", "web");
    add_host(r, "h1", "hv1");
    struct mapping_row row = sample_mapping("m1", "v1", "h1", 0);
    assert_int_equal(mapping_row_add(&r->txn, &row, NULL), 0);
    assert_refused(volume_row_remove(&r->txn, "v1", &last), -EBUSY, "");
    assert_refused(host_row_remove(&r->txn, "h1", &last), -EBUSY, "");
    assert_int_equal(mapping_row_remove(&r->txn, "m1", NULL), 0);
    assert_refused(mapping_row_remove(&r->txn, "m1", &last), -ENOENT, "");
    assert_int_equal(volume_row_remove(&r->txn, "v1", NULL), 0);
    assert_refused(volume_row_remove(&r->txn, "v1", &last), -ENOENT, "");
    assert_int_equal(host_row_remove(&r->txn, "h1", NULL), 0);
    assert_refused(host_row_remove(&r->txn, "h1", &last), -ENOENT, "");
}

/* ---- Hosts and mappings ------------------------------------------------------------ */

struct initiators {
    char host_ids[ROWS_MAX][CATALOG_ID_MAX];
    char names[ROWS_MAX][CATALOG_INITIATOR_MAX];
    size_t count;
};

static int collect_initiator(const char *host_id, const char *initiator, void *arg)
{
    struct initiators *list = arg;
    if (list->count == ROWS_MAX)
        return -E2BIG;
    memcpy(list->host_ids[list->count], host_id, strlen(host_id) + 1);
    memcpy(list->names[list->count], initiator, strlen(initiator) + 1);
    list->count++;
    return 0;
}

static struct initiators all_initiators(struct rig *r)
{
    struct initiators list = {.count = 0};
    assert_int_equal(initiator_row_each(&r->txn, collect_initiator, &list, NULL), 0);
    return list;
}

static void a_host_comes_back_with_its_initiators_in_order(void **state)
{
    struct rig *r = *state;
    char longest[CATALOG_INITIATOR_MAX];
    memset(longest, 'i', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    const char *const first[] = {"iqn.z", "iqn.a"};
    const char *const second[] = {longest};
    struct host_row row = sample_host("h2", "alpha");
    assert_int_equal(host_row_add(&r->txn, &row, second, 1, NULL), 0);
    row = sample_host("h1", "beta");
    assert_int_equal(host_row_add(&r->txn, &row, first, 2, NULL), 0);
    struct host_rows hosts = all_host_row(r);
    assert_int_equal(hosts.count, 2);
    assert_string_equal(hosts.rows[0].name, "alpha");
    assert_string_equal(hosts.rows[1].id, "h1");
    assert_int_equal(hosts.rows[1].created_s, 1700000001);
    struct initiators list = all_initiators(r);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.host_ids[0], "h1");
    assert_string_equal(list.names[0], "iqn.z");
    assert_string_equal(list.names[1], "iqn.a");
    assert_string_equal(list.names[2], longest);
    assert_int_equal(host_row_remove(&r->txn, "h1", NULL), 0);
    assert_int_equal(all_initiators(r).count, 1);
}

static void a_changed_host_has_its_new_names_alone(void **state)
{
    static const char *const before[] = {"iqn.a", "iqn.b"};
    static const char *const after[] = {"iqn.c", "iqn.a"};
    struct rig *r = *state;
    struct host_row row = sample_host("h1", "old");
    assert_int_equal(host_row_add(&r->txn, &row, before, 2, NULL), 0);
    memcpy(row.name, "new", 4);
    memcpy(row.profile, "xen", 4);
    assert_int_equal(host_row_change(&r->txn, &row, after, 2, NULL), 0);
    struct host_rows hosts = all_host_row(r);
    assert_int_equal(hosts.count, 1);
    assert_string_equal(hosts.rows[0].name, "new");
    assert_string_equal(hosts.rows[0].profile, "xen");
    struct initiators list = all_initiators(r);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.names[0], "iqn.c");
    assert_string_equal(list.names[1], "iqn.a");
    row = sample_host("h9", "none");
    assert_refused(host_row_change(&r->txn, &row, NULL, 0, &last), -ENOENT, "");
}

static int keep_auth(const char *owner, const struct auth *auth, void *arg)
{
    struct auth *kept = arg;
    kept[owner[0] == '\0' ? 0 : 1] = *auth;
    return 0;
}

static void assert_same_secret(const struct secret *a, const struct secret *b)
{
    assert_int_equal(a->bytes, b->bytes);
    assert_memory_equal(a->value, b->value, b->bytes);
}

static void assert_same_auth(const struct auth *a, const struct auth *b)
{
    assert_int_equal(a->addresses.count, b->addresses.count);
    assert_memory_equal(a->addresses.ranges, b->addresses.ranges,
                        b->addresses.count * sizeof(b->addresses.ranges[0]));
    assert_int_equal(a->chap, b->chap);
    assert_int_equal(a->forbid_md5, b->forbid_md5);
    assert_string_equal(a->user, b->user);
    assert_string_equal(a->mutual_user, b->mutual_user);
    assert_same_secret(&a->secret, &b->secret);
    assert_same_secret(&a->mutual_secret, &b->mutual_secret);
    assert_int_equal(a->revision, b->revision);
}

static void credentials_come_back_and_go_with_their_host(void **state)
{
    struct rig *r = *state;
    struct auth first = {.chap = true,
                         .user = "u",
                         .secret = {.bytes = 14, .value = "0123456789abcd"},
                         .revision = 2};
    struct auth box = {.chap = true,
                       .revision = UINT64_C(1) << 40,
                       .forbid_md5 = true,
                       .user = "d",
                       .secret = {.bytes = 12, .value = "discovery-01"},
                       .mutual_user = "box",
                       .mutual_secret = {.bytes = 12, .value = "mutual-00001"}};
    struct auth kept[2] = {{.chap = false}, {.chap = false}};
    for (size_t i = 0; i < CIDR_LIST_MAX; i++)
        assert_int_equal(cidr_parse("2001:db8:1111:2222:3333:4444:5555:6660/124",
                                    &first.addresses.ranges[i]),
                         0);
    first.addresses.count = CIDR_LIST_MAX;
    add_host(r, "h1", "hv1");
    assert_int_equal(auth_row_set(&r->txn, "h1", &box, NULL), 0);
    assert_int_equal(auth_row_set(&r->txn, "h1", &first, NULL), 0);
    assert_int_equal(auth_row_set(&r->txn, "", &box, NULL), 0);
    assert_int_equal(auth_row_each(&r->txn, keep_auth, kept, NULL), 0);
    assert_same_auth(&kept[0], &box);
    assert_same_auth(&kept[1], &first);
    assert_int_equal(host_row_remove(&r->txn, "h1", NULL), 0);
    kept[1].chap = false;
    assert_int_equal(auth_row_each(&r->txn, keep_auth, kept, NULL), 0);
    assert_true(kept[0].chap);
    assert_false(kept[1].chap);
}

static void a_host_that_clashes_is_refused(void **state)
{
    struct rig *r = *state;
    char long_name[CATALOG_INITIATOR_MAX + 1];
    memset(long_name, 'i', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    const char *const any[] = {"any"};
    const char *const twice[] = {"iqn.b", "iqn.b"};
    const char *const too_long[] = {long_name};
    struct host_row row = sample_host("h1", "hv1");
    assert_int_equal(host_row_add(&r->txn, &row, any, 1, NULL), 0);
    row = sample_host("h2", "hv1");
    assert_refused(host_row_add(&r->txn, &row, NULL, 0, &last), -EEXIST, "name");
    row = sample_host("h1", "hv2");
    assert_refused(host_row_add(&r->txn, &row, NULL, 0, &last), -EEXIST, "id");
    row = sample_host("h2", "hv2");
    assert_refused(host_row_add(&r->txn, &row, any, 1, &last), -EEXIST, "initiators");
    row = sample_host("h3", "hv3");
    assert_refused(host_row_add(&r->txn, &row, twice, 2, &last), -EEXIST, "initiators");
    row = sample_host("h4", "hv4");
    assert_refused(host_row_add(&r->txn, &row, too_long, 1, &last), -EINVAL,
                   "initiators");
}

static void a_mapping_comes_back(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    add_volume(r, "v1", "web");
    add_volume(r, "v2", "db");
    add_host(r, "h1", "hv1");
    struct mapping_row one = sample_mapping("m1", "v1", "h1", 16383);
    struct mapping_row two = sample_mapping("m2", "v2", "h1", 0);
    assert_int_equal(mapping_row_add(&r->txn, &one, NULL), 0);
    assert_int_equal(mapping_row_add(&r->txn, &two, NULL), 0);
    struct mapping_rows list = all_mapping_row(r);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.rows[0].id, "m2");
    assert_false(list.rows[0].read_only);
    assert_string_equal(list.rows[1].id, "m1");
    assert_string_equal(list.rows[1].volume_id, "v1");
    assert_string_equal(list.rows[1].host_id, "h1");
    assert_int_equal(list.rows[1].lun, 16383);
    assert_true(list.rows[1].read_only);
    assert_int_equal(list.rows[1].created_s, 1700000002);
}

static void a_mapping_that_clashes_is_refused(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    add_volume(r, "v1", "web");
    add_volume(r, "v2", "db");
    add_host(r, "h1", "hv1");
    add_host(r, "h2", "hv2");
    struct mapping_row row = sample_mapping("m1", "v1", "h1", 1);
    assert_int_equal(mapping_row_add(&r->txn, &row, NULL), 0);
    row = sample_mapping("m2", "v1", "h1", 2);
    assert_refused(mapping_row_add(&r->txn, &row, &last), -EEXIST, "volume");
    row = sample_mapping("m2", "v2", "h1", 1);
    assert_refused(mapping_row_add(&r->txn, &row, &last), -EEXIST, "lun");
    row = sample_mapping("m1", "v2", "h1", 2);
    assert_refused(mapping_row_add(&r->txn, &row, &last), -EEXIST, "id");
    row = sample_mapping("m2", "v9", "h1", 2);
    assert_refused(mapping_row_add(&r->txn, &row, &last), -ENOENT, "volume");
    row = sample_mapping("m2", "v2", "h9", 2);
    assert_refused(mapping_row_add(&r->txn, &row, &last), -ENOENT, "host");
    row = sample_mapping("m2", "v2", "h1", 16384);
    assert_refused(mapping_row_add(&r->txn, &row, &last), -EINVAL, "lun");
    row = sample_mapping("m2", "v1", "h2", 1);
    assert_int_equal(mapping_row_add(&r->txn, &row, NULL), 0);
}

/* Each has a target to itself, so their LUNs clash with none. */
static void luns_of_own_targets_do_not_clash(void **state)
{
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    add_volume(r, "v1", "web");
    add_volume(r, "v2", "db");
    add_volume(r, "v3", "log");
    add_host(r, "h1", "hv1");
    struct mapping_row row = sample_mapping("m1", "v1", "h1", 0);
    assert_int_equal(mapping_row_add(&r->txn, &row, NULL), 0);
    row = sample_mapping("m3", "v2", "h1", 0);
    row.own_target = true;
    assert_int_equal(mapping_row_add(&r->txn, &row, NULL), 0);
    row = sample_mapping("m2", "v3", "h1", 0);
    row.own_target = true;
    assert_int_equal(mapping_row_add(&r->txn, &row, NULL), 0);
    row = sample_mapping("m4", "v3", "h1", 5);
    assert_refused(mapping_row_add(&r->txn, &row, &last), -EEXIST, "volume");
    struct mapping_rows list = all_mapping_row(r);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.rows[0].id, "m1");
    assert_false(list.rows[0].own_target);
    assert_string_equal(list.rows[1].id, "m2");
    assert_true(list.rows[1].own_target);
    assert_true(list.rows[2].own_target);
}

/* ---- Saved mode parameters --------------------------------------------------------- */

struct saved {
    char volume_id[CATALOG_ID_MAX];
    struct modes modes;
    unsigned count;
};

static int collect_mode(const char *volume_id, const struct modes *modes, void *arg)
{
    struct saved *saved = arg;
    memcpy(saved->volume_id, volume_id, strlen(volume_id) + 1);
    saved->modes = *modes;
    saved->count++;
    return 0;
}

static struct saved saved_modes(struct rig *r)
{
    struct saved saved = {.count = 0};
    assert_int_equal(mode_row_each(&r->txn, collect_mode, &saved, NULL), 0);
    return saved;
}

static void saved_modes_come_back_and_go_with_their_volume(void **state)
{
    struct rig *r = *state;
    struct modes modes = {.descriptor_sense = true, .tells_one = true};
    for (int i = 0; i < THRESHOLD_MAX; i++)
        modes.thresholds[i] = (struct threshold){.enabled = i % 2 == 0,
                                                 .increasing = i > 1,
                                                 .resource = (uint8_t)(i % 3),
                                                 .extents = UINT32_MAX - (uint32_t)i};
    add_pool(r, "p1", "fast");
    add_volume(r, "v1", "web");
    assert_int_equal(mode_row_set(&r->txn, "v1", &modes, NULL), 0);
    struct saved saved = saved_modes(r);
    assert_int_equal(saved.count, 1);
    assert_string_equal(saved.volume_id, "v1");
    assert_true(modes_equal(&saved.modes, &modes));

    modes = (struct modes){
        .write_protect = true, .write_cache = true, .tells_thresholds = true};
    assert_int_equal(mode_row_set(&r->txn, "v1", &modes, NULL), 0);
    saved = saved_modes(r);
    assert_int_equal(saved.count, 1);
    assert_true(modes_equal(&saved.modes, &modes));

    assert_int_equal(mode_row_set(&r->txn, "v2", &modes, NULL), -ENOENT);
    assert_int_equal(volume_row_remove(&r->txn, "v1", NULL), 0);
    assert_int_equal(saved_modes(r).count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(a_volume_comes_back),
        ROW_TEST(saved_modes_come_back_and_go_with_their_volume),
        ROW_TEST(a_volume_that_clashes_is_refused),
        ROW_TEST(a_mapped_volume_and_host_stay),
        ROW_TEST(a_host_comes_back_with_its_initiators_in_order),
        ROW_TEST(a_changed_host_has_its_new_names_alone),
        ROW_TEST(credentials_come_back_and_go_with_their_host),
        ROW_TEST(a_host_that_clashes_is_refused),
        ROW_TEST(a_mapping_comes_back),
        ROW_TEST(luns_of_own_targets_do_not_clash),
        ROW_TEST(a_mapping_that_clashes_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
