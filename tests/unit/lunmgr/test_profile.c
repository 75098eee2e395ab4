/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles of hosts: what such initiators cannot use is refused when it is asked for. */
#include "tests/unit/lunmgr/manage_rig.h"

#include "lunmgr/lunmgr_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct answer host_of(const char *name, const char *profile,
                             const struct auth_change *auth)
{
    char text[64];
    const char *initiator = text;
    struct answer a = {.came = false};
    struct host_spec spec = {.name = name,
                             .initiators = &initiator,
                             .initiator_count = 1,
                             .profile = profile,
                             .auth = auth};
    snprintf(text, sizeof(text), "iqn.2026-01.test:%s", name);
    host_create(rig.manager, &spec, on_host, &a);
    wait_for(&a);
    return a;
}

static struct answer change(const char *name, const struct host_change *to)
{
    struct answer a = {.came = false};
    host_change(rig.manager, name, to, on_host, &a);
    wait_for(&a);
    return a;
}

static void make_volume(const char *name, uint32_t block_bytes)
{
    struct answer a = {.came = false};
    struct volume_spec spec = {
        .name = name, .pool = "p", .size_bytes = MIB, .block_bytes = block_bytes};
    volume_create(rig.manager, &spec, on_volume, &a);
    assert_int_equal(wait_for(&a), 0);
}

static const char *profile_of(const char *name)
{
    struct host_info info;
    host_describe(host_find(rig.manager, name), &info);
    return info.profile;
}

static void a_profile_is_one_of_five_and_stays(void **state)
{
    static const char *const names[] = {"linux", "qemu", "xen", "esxi", "windows"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(host_of(names[i], names[i], NULL).err.code, 0);
    assert_int_equal(host_of("unsaid", NULL, NULL).err.code, 0);
    struct answer a = host_of("other", "ESXi", NULL);
    assert_refused(&a, -EINVAL, "profile");
    assert_string_equal(a.err.text, "linux, qemu, xen, esxi or windows is wanted");
    assert_int_equal(change("xen", &(struct host_change){.profile = "esxi"}).err.code, 0);
    restart();
    assert_string_equal(profile_of("qemu"), "qemu");
    assert_string_equal(profile_of("windows"), "windows");
    assert_string_equal(profile_of("xen"), "esxi");
    assert_string_equal(profile_of("unsaid"), "linux");
}

static void blocks_are_of_a_size_that_it_can_use(void **state)
{
    static const struct {
        const char *profile;
        bool takes_4096;
    } cases[] = {
        {"linux", true}, {"qemu", true},  {"windows", true},
        {"xen", false},  {"esxi", false},
    };
    (void)state;
    make_volume("v512", 512);
    make_volume("v4096", 4096);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        host_of(cases[i].profile, cases[i].profile, NULL);
        assert_int_equal(map("v512", cases[i].profile, LUN_ANY).err.code, 0);
        struct answer a = map("v4096", cases[i].profile, LUN_ANY);
        if (cases[i].takes_4096)
            assert_int_equal(a.err.code, 0);
        else
            assert_refused(&a, -EINVAL, "volume");
    }
}

static void luns_are_those_that_it_looks_at(void **state)
{
    (void)state;
    make_volume("a", 512);
    make_volume("b", 512);
    host_of("e", "esxi", NULL);
    host_of("w", "windows", NULL);
    struct answer a = map("a", "e", 1024);
    assert_refused(&a, -EINVAL, "lun");
    assert_non_null(strstr(a.err.text, "0 to 1023"));
    assert_int_equal(map("a", "e", 1023).err.code, 0);
    a = map("a", "w", 255);
    assert_refused(&a, -EINVAL, "lun");
    assert_int_equal(map("a", "w", 254).err.code, 0);
    a = map("b", "w", LUN_ANY);
    assert_int_equal(lun_of(&a), 0);
}

static void a_profile_changes_only_if_all_that_is_mapped_fits(void **state)
{
    const struct host_change to_esxi = {.profile = "esxi"};
    (void)state;
    make_volume("v4096", 4096);
    make_volume("v512", 512);
    host_of("h", "linux", NULL);
    map("v4096", "h", 0);
    map("v512", "h", 2000);
    struct answer a = change("h", &to_esxi);
    assert_refused(&a, -EBUSY, "profile");
    assert_non_null(strstr(a.err.text, "v4096"));
    unmap("v4096/h");
    a = change("h", &to_esxi);
    assert_refused(&a, -EBUSY, "profile");
    assert_non_null(strstr(a.err.text, "LUN 2000"));
    assert_string_equal(profile_of("h"), "linux");
    unmap("v512/h");
    assert_int_equal(change("h", &to_esxi).err.code, 0);
    assert_string_equal(profile_of("h"), "esxi");
}

/* A mapping and a change of the profile that are under way at once. */
static void of_a_mapping_and_a_profile_at_once_one_is_refused(void **state)
{
    const struct host_change to_esxi = {.profile = "esxi"};
    const struct mapping_spec spec = {.volume = "v", .host = "h", .lun = LUN_ANY};
    struct answer mapped = {.came = false}, changed = {.came = false};
    (void)state;
    make_volume("v", 4096);
    host_of("h", NULL, NULL);
    host_change(rig.manager, "h", &to_esxi, on_host, &changed);
    mapping_create(rig.manager, &spec, on_mapping, &mapped);
    assert_int_equal(wait_for(&changed), 0);
    assert_int_equal(wait_for(&mapped), -EBUSY);
    changed = mapped = (struct answer){.came = false};
    change("h", &(struct host_change){.profile = "linux"});
    mapping_create(rig.manager, &spec, on_mapping, &mapped);
    host_change(rig.manager, "h", &to_esxi, on_host, &changed);
    assert_int_equal(wait_for(&mapped), 0);
    assert_int_equal(wait_for(&changed), -EBUSY);
    assert_string_equal(profile_of("h"), "linux");
}

static void credentials_are_those_that_it_can_use(void **state)
{
    const bool chap = true;
    struct auth_change auth = {.chap = &chap, .user = "u", .secret = "twelve-bytes"};
    struct answer a;
    (void)state;
    assert_int_equal(host_of("w12", "windows", &auth).err.code, 0);
    auth.secret = "seventeen-bytes-0";
    a = host_of("w17", "windows", &auth);
    assert_refused(&a, -EINVAL, "auth/secret");
    assert_int_equal(host_of("l17", NULL, &auth).err.code, 0);
    auth.mutual_user = "t";
    auth.mutual_secret = "another-secret-of-ours";
    a = host_of("q", "qemu", &auth);
    assert_refused(&a, -EINVAL, "auth/mutual_user");
    assert_int_equal(host_of("x", "xen", &auth).err.code, 0);
    /* Either of the two changes is held against the other. */
    a = change("l17", &(struct host_change){.profile = "windows"});
    assert_refused(&a, -EINVAL, "auth/secret");
    a = change("w12", &(struct host_change){.auth = &auth});
    assert_refused(&a, -EINVAL, "auth/secret");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MANAGE_TEST(a_profile_is_one_of_five_and_stays),
        MANAGE_TEST(blocks_are_of_a_size_that_it_can_use),
        MANAGE_TEST(luns_are_those_that_it_looks_at),
        MANAGE_TEST(a_profile_changes_only_if_all_that_is_mapped_fits),
        MANAGE_TEST(of_a_mapping_and_a_profile_at_once_one_is_refused),
        MANAGE_TEST(credentials_are_those_that_it_can_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
