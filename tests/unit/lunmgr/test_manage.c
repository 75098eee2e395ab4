/* SPDX-License-Identifier: Apache-2.0 */
/* Pools, volumes, hosts, mappings and tokens: what is accepted, refused and by which
 * field, what two that ask at once get, what is there after a restart. */
#include "tests/lib/rig_manage.h"

#include "base/log.h"
#include "db/catalog.h"
#include "lunmgr/host.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/token.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct pool_rig rig;

static int setup(void **state)
{
    (void)state;
    struct pool_rig_options options = {
        .engine = RIG_FAKE, .lane_count = 1, .pool_bytes = 16 * MIB};
    pool_rig_create(&rig, &options);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

/* ---- Answers ----------------------------------------------------------------------- */

struct answer {
    bool came;
    struct err err;
    void *object;
};

static void take(struct answer *a, void *object, const struct err *e)
{
    assert_false(a->came);
    assert_true((object == NULL) || e == NULL);
    a->came = true;
    a->object = object;
    if (e != NULL)
        a->err = *e;
}

static void on_volume(void *arg, struct volume *v, const struct err *e)
{
    take(arg, v, e);
}

static void on_host(void *arg, struct host *h, const struct err *e)
{
    take(arg, h, e);
}

static void on_mapping(void *arg, struct mapping *m, const struct err *e)
{
    take(arg, m, e);
}

static void on_token(void *arg, struct token *t, const struct err *e)
{
    take(arg, t, e);
}

static void on_pool(void *arg, struct pool *p, const struct err *e)
{
    take(arg, p, e);
}

static void on_done(void *arg, const struct err *e)
{
    take(arg, NULL, e);
}

static void on_check(void *arg, const struct pool_check_report *report,
                     const struct err *e)
{
    assert_true((report == NULL) != (e == NULL));
    take(arg, NULL, e);
}

static bool came(void *arg)
{
    return ((struct answer *)arg)->came;
}

/* Answered later than the call; the code. */
static int wait_for(struct answer *a)
{
    pool_rig_until(&rig, came, a);
    return a->err.code;
}

static void assert_refused(const struct answer *a, int code, const char *field)
{
    assert_int_equal(a->err.code, code);
    assert_string_equal(a->err.field, field);
    assert_true(a->err.text[0] != '\0');
    assert_null(a->object);
}

static struct answer make_host(const char *name, const char *const *initiators,
                               size_t count)
{
    struct answer a = {.came = false};
    struct host_spec spec = {
        .name = name, .initiators = initiators, .initiator_count = count};
    host_create(rig.manager, &spec, on_host, &a);
    assert_false(a.came);
    wait_for(&a);
    return a;
}

static struct answer make_host_of(const char *name, const char *initiator)
{
    return make_host(name, &initiator, 1);
}

static struct answer delete_host(const char *name)
{
    struct answer a = {.came = false};
    host_delete(rig.manager, name, on_done, &a);
    assert_false(a.came);
    wait_for(&a);
    return a;
}

static struct answer map(const char *volume, const char *host, uint16_t lun)
{
    struct answer a = {.came = false};
    struct mapping_spec spec = {.volume = volume, .host = host, .lun = lun};
    mapping_create(rig.manager, &spec, on_mapping, &a);
    assert_false(a.came);
    wait_for(&a);
    return a;
}

static struct answer unmap(const char *id_or_pair)
{
    struct answer a = {.came = false};
    mapping_delete(rig.manager, id_or_pair, on_done, &a);
    assert_false(a.came);
    wait_for(&a);
    return a;
}

static uint16_t lun_of(const struct answer *a)
{
    struct mapping_info info;
    assert_int_equal(a->err.code, 0);
    mapping_describe(a->object, &info);
    return info.lun;
}

static void restart(void)
{
    pool_rig_close(&rig);
    pool_rig_open(&rig);
}

/* ---- Names ------------------------------------------------------------------------- */

static const char long_name[] =
    "n23456789012345678901234567890123456789012345678901234567890123";

static void a_name_is_letters_digits_and_three_signs(void **state)
{
    static const char *const bad[] = {"",     ".a",   "-a",   "_a",  "a b",     "a/b",
                                      "a\nb", "a\"b", "\xc3", "a:b", "na\xc3me"};
    static const char *const good[] = {"a", "7", "A-b_c.9", long_name};
    struct err e;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(pool_rig_make_volume(&rig, bad[i], MIB, 0, NULL, &e), -EINVAL);
        assert_string_equal(e.field, "name");
        struct answer a = make_host_of(bad[i], "iqn.x");
        assert_refused(&a, -EINVAL, "name");
    }
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(pool_rig_make_volume(&rig, good[i], MIB, 0, NULL, &e), 0);
    char longer[80];
    snprintf(longer, sizeof(longer), "%sx", long_name);
    assert_int_equal(strlen(longer), 64);
    assert_int_equal(pool_rig_make_volume(&rig, longer, MIB, 0, NULL, &e), -EINVAL);
}

/* ---- Volumes ----------------------------------------------------------------------- */

static void a_volume_of_a_wrong_size_is_refused(void **state)
{
    static const uint64_t bad[] = {0, 1, 512, 4095, 4097, VOLUME_BYTES_MAX + 4096};
    struct err e;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(pool_rig_make_volume(&rig, "v", bad[i], 0, NULL, &e), -EINVAL);
        assert_string_equal(e.field, "size");
    }
    assert_int_equal(pool_rig_make_volume(&rig, "v", MIB, 1024, NULL, &e), -EINVAL);
    assert_string_equal(e.field, "block_size");
    assert_int_equal(pool_rig_make_volume(&rig, "least", 4096, 0, NULL, &e), 0);
    assert_int_equal(pool_rig_make_volume(&rig, "most", VOLUME_BYTES_MAX, 4096, NULL, &e),
                     0);
}

static void a_volume_says_what_it_is_also_after_a_restart(void **state)
{
    struct volume_info before, after;
    (void)state;
    volume_describe(pool_rig_volume(&rig, "v", 3 * MIB, 4096), &before);
    assert_string_equal(before.name, "v");
    assert_string_equal(before.pool_name, "p");
    assert_int_equal(before.size_bytes, 3 * MIB);
    assert_int_equal(before.block_bytes, 4096);
    assert_int_equal(before.allocated_bytes, 0);
    assert_int_equal(strlen(before.naa), 32);
    assert_int_equal(before.naa[0], '6');
    assert_int_equal(strlen(before.serial), 16);
    restart();
    assert_ptr_equal(volume_find(rig.manager, before.id), volume_find(rig.manager, "v"));
    volume_describe(volume_find(rig.manager, "v"), &after);
    assert_string_equal(after.id, before.id);
    assert_string_equal(after.pool_id, before.pool_id);
    assert_string_equal(after.naa, before.naa);
    assert_string_equal(after.serial, before.serial);
    assert_int_equal(after.size_bytes, before.size_bytes);
    assert_int_equal(after.block_bytes, before.block_bytes);
    assert_int_equal(after.created_s, before.created_s);
}

static void no_two_volumes_ever_have_one_naa(void **state)
{
    struct volume_info a, b, c;
    (void)state;
    volume_describe(pool_rig_volume(&rig, "a", MIB, 0), &a);
    volume_describe(pool_rig_volume(&rig, "b", MIB, 0), &b);
    assert_int_equal(pool_rig_delete_volume(&rig, "b", NULL), 0);
    restart();
    volume_describe(pool_rig_volume(&rig, "b", MIB, 0), &c);
    assert_string_not_equal(a.naa, b.naa);
    assert_string_not_equal(b.naa, c.naa);
    assert_string_not_equal(b.serial, c.serial);
    assert_memory_equal(a.naa, b.naa, 16); /* company and box are the same */
}

/* A page or so of memory for each 8 GiB that is looked at, nothing in advance. */
static long resident_kib(void)
{
    long total, resident;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld %ld", &total, &resident), 2);
    (void)fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void a_volume_of_64_tib_takes_no_memory(void **state)
{
    (void)state;
    uint64_t size = 64ULL << 40;
    long before = resident_kib();
    struct volume *v = pool_rig_volume(&rig, "huge", size, 512);
    assert_int_equal(rig_write(&rig, v, 0, 4096, 1), 0);
    assert_int_equal(rig_write(&rig, v, size - 4096, 4096, 2), 0);
    assert_int_equal(rig_write(&rig, v, size / 2, 4096, 3), 0);
    restart();
    v = volume_find(rig.manager, "huge");
    assert_true(rig_reads(&rig, v, 0, 4096, 1));
    assert_true(rig_reads(&rig, v, size - 4096, 4096, 2));
    assert_true(rig_reads(&rig, v, size / 2, 4096, 3));
    assert_true(rig_reads(&rig, v, size / 3 / 4096 * 4096, 65536, 0));
    struct volume_info info;
    volume_describe(v, &info);
    assert_int_equal(info.allocated_bytes, 3 * EXTENT_BYTES);
#ifndef ASHLAR_MALLOC_BUFFERS /* a sanitizer's memory is its own */
    assert_in_range(resident_kib(), 1, before + 8 * 1024);
#else
    (void)before;
#endif
}

static void of_two_that_ask_for_a_name_one_gets_it(void **state)
{
    struct answer a = {.came = false}, b = {.came = false};
    struct volume_spec spec = {.name = "v", .pool = "p", .size_bytes = MIB};
    (void)state;
    volume_create(rig.manager, &spec, on_volume, &a);
    volume_create(rig.manager, &spec, on_volume, &b);
    assert_int_equal(wait_for(&a), 0);
    wait_for(&b);
    assert_refused(&b, -EEXIST, "name");
    struct pool_info info;
    pool_describe(rig.pool, &info);
    assert_int_equal(info.volume_count, 1);
    assert_int_equal(info.provisioned_bytes, MIB);
    struct answer c = {.came = false};
    volume_create(rig.manager, &spec, on_volume, &c);
    wait_for(&c);
    assert_refused(&c, -EEXIST, "name");
}

static void a_volume_is_deleted_once(void **state)
{
    struct answer a = {.came = false}, b = {.came = false}, c = {.came = false};
    (void)state;
    pool_rig_volume(&rig, "v", MIB, 0);
    volume_delete(rig.manager, "v", true, on_done, &a);
    volume_delete(rig.manager, "v", true, on_done, &b);
    assert_int_equal(wait_for(&a), 0);
    wait_for(&b);
    assert_refused(&b, -ENOENT, "volume");
    assert_null(volume_find(rig.manager, "v"));
    volume_delete(rig.manager, "v", true, on_done, &c);
    wait_for(&c);
    assert_refused(&c, -ENOENT, "volume");
    pool_rig_volume(&rig, "v", MIB, 0); /* the name is free */
}

static void a_volume_of_no_pool_is_refused(void **state)
{
    struct answer a = {.came = false};
    struct volume_spec spec = {.name = "v", .pool = "q", .size_bytes = MIB};
    (void)state;
    volume_create(rig.manager, &spec, on_volume, &a);
    wait_for(&a);
    assert_refused(&a, -ENOENT, "pool");
}

static void volumes_come_in_order_of_name(void **state)
{
    static const char *const names[] = {"c", "a", "b2", "b10", "B"};
    static const char *const order[] = {"B", "a", "b10", "b2", "c"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        pool_rig_volume(&rig, names[i], MIB, 0);
    for (int again = 0; again < 2; again++) {
        struct volume *v = NULL;
        for (size_t i = 0; i < ARRAY_LEN(order); i++) {
            struct volume_info info;
            v = volume_next(rig.manager, v);
            volume_describe(v, &info);
            assert_string_equal(info.name, order[i]);
        }
        assert_null(volume_next(rig.manager, v));
        restart();
    }
}

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
    static const char *const want[] = {"g 3", "h 0", "h 9", "h 10"};
    (void)state;
    make_volumes(3);
    make_host_of("h", "iqn.a");
    make_host_of("g", "iqn.b");
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
    pool_check(rig.manager, "p", on_check, &checked);
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

/* ---- Tokens ------------------------------------------------------------------------ */

static void a_token_is_removed_once(void **state)
{
    static const uint8_t hash[TOKEN_HASH_BYTES] = {1, 2, 3};
    struct answer a = {.came = false}, b = {.came = false}, c = {.came = false};
    struct token_info info;
    (void)state;
    token_add(rig.manager, "t", hash, on_token, &a);
    assert_int_equal(wait_for(&a), 0);
    struct answer again = {.came = false};
    token_add(rig.manager, "t", hash, on_token, &again);
    wait_for(&again);
    assert_refused(&again, -EEXIST, "name");
    restart();
    token_describe(token_find(rig.manager, "t"), &info);
    assert_memory_equal(info.hash, hash, sizeof(hash));
    token_remove(rig.manager, "t", on_done, &b);
    token_remove(rig.manager, "t", on_done, &c);
    wait_for(&c);
    assert_refused(&c, -ENOENT, "token"); /* here already, not by the catalog */
    assert_non_null(strstr(c.err.text, "there is no token t"));
    assert_int_equal(wait_for(&b), 0);
    assert_null(token_find(rig.manager, "t"));
}

/* ---- Pools ------------------------------------------------------------------------- */

static void a_bad_pool_is_refused_by_its_field(void **state)
{
    char path[400];
    struct err e;
    (void)state;
    assert_int_equal(pool_rig_make_pool(&rig, "p", "/dev/null", 0, NULL, &e), -EEXIST);
    assert_string_equal(e.field, "name");
    assert_int_equal(pool_rig_make_pool(&rig, "q", "relative", MIB, NULL, &e), -EINVAL);
    assert_string_equal(e.field, "devices/0/path");
    assert_int_equal(pool_rig_make_pool(&rig, "q", "/nowhere/at/all", MIB, NULL, &e),
                     -ENOENT);
    assert_string_equal(e.field, "devices/0/path");
    snprintf(path, sizeof(path), "%s/q.img", rig.dir);
    assert_int_equal(pool_rig_make_pool(&rig, "q", path, MIB - 1, NULL, &e), -EINVAL);
    assert_string_equal(e.field, "devices/0/size");
    /* The pool's own device again: it is in use. */
    assert_int_equal(pool_rig_make_pool(&rig, "q", rig.pool_path, 0, NULL, &e), -EBUSY);
    struct pool_spec none = {.name = "q"};
    struct answer a = {.came = false};
    pool_create(rig.manager, &none, on_pool, &a);
    wait_for(&a);
    assert_refused(&a, -EINVAL, "devices");
    assert_int_equal(pool_rig_make_pool(&rig, "q", path, MIB, NULL, &e), 0);
}

static void a_deleted_pool_leaves_its_device_to_others(void **state)
{
    char path[400];
    struct err e;
    (void)state;
    snprintf(path, sizeof(path), "%s/q.img", rig.dir);
    assert_int_equal(pool_rig_make_pool(&rig, "q", path, MIB, NULL, &e), 0);
    assert_int_equal(pool_rig_delete_pool(&rig, "q", &e), 0);
    assert_null(pool_find(rig.manager, "q"));
    assert_int_equal(pool_rig_delete_pool(&rig, "q", &e), -ENOENT);
    assert_int_equal(pool_rig_make_pool(&rig, "r", path, 0, NULL, &e), 0);
    restart();
    assert_non_null(pool_find(rig.manager, "r"));
    assert_null(pool_find(rig.manager, "q"));
}

static void a_pool_with_volumes_is_not_deleted(void **state)
{
    struct err e;
    (void)state;
    pool_rig_volume(&rig, "v", MIB, 0);
    assert_int_equal(pool_rig_delete_pool(&rig, "p", &e), -EBUSY);
    assert_string_equal(e.field, "pool");
    /* Nor one in which a volume is being made. */
    assert_int_equal(pool_rig_delete_volume(&rig, "v", &e), 0);
    pool_rig_settle(&rig);
    struct answer a = {.came = false}, b = {.came = false}, c = {.came = false};
    struct volume_spec spec = {.name = "w", .pool = "p", .size_bytes = MIB};
    volume_create(rig.manager, &spec, on_volume, &a);
    pool_delete(rig.manager, "p", on_done, &b);
    wait_for(&b);
    assert_refused(&b, -EBUSY, "pool");
    assert_int_equal(wait_for(&a), 0);
    assert_int_equal(pool_rig_delete_volume(&rig, "w", &e), 0);
    pool_rig_settle(&rig);
    /* And in one that is being deleted none is made. */
    struct answer d = {.came = false};
    pool_delete(rig.manager, "p", on_done, &c);
    volume_create(rig.manager, &spec, on_volume, &d);
    wait_for(&d);
    assert_refused(&d, -ENOENT, "pool");
    assert_int_equal(wait_for(&c), 0);
    rig.pool = NULL;
}

/* Keeps the catalog's readers busy until let go. */
struct gate {
    struct catalog_job job;
    sem_t *sem;
    bool ended;
};

static int gate_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    (void)txn;
    (void)e;
    return sem_wait(container_of(job, struct gate, job)->sem);
}

static void gate_done(struct catalog_job *job)
{
    container_of(job, struct gate, job)->ended = true;
}

static bool gates_ended(void *arg)
{
    const struct gate *gates = arg;
    return gates[0].ended && gates[1].ended;
}

static void a_pool_being_checked_is_not_deleted(void **state)
{
    struct answer check = {.came = false}, second = {.came = false},
                  gone = {.came = false};
    struct gate gates[2];
    sem_t sem;
    (void)state;
    sem_init(&sem, 0, 0);
    for (int i = 0; i < 2; i++) { /* the rig has two readers */
        gates[i] = (struct gate){.job = {.reply_to = loop_inbox(rig.control),
                                         .work = gate_work,
                                         .done = gate_done},
                                 .sem = &sem};
        catalog_read(rig.catalog, &gates[i].job);
    }
    pool_check(rig.manager, "p", on_check, &check);
    pool_check(rig.manager, "p", on_check, &second);
    pool_delete(rig.manager, "p", on_done, &gone);
    wait_for(&gone);
    assert_refused(&gone, -EBUSY, "pool");
    wait_for(&second);
    assert_int_equal(second.err.code, -EBUSY); /* one at a time */
    struct answer still = {.came = false};
    pool_delete(rig.manager, "p", on_done, &still);
    wait_for(&still);
    assert_refused(&still, -EBUSY, "pool");
    assert_false(check.came);
    sem_post(&sem);
    sem_post(&sem);
    assert_int_equal(wait_for(&check), 0);
    pool_rig_until(&rig, gates_ended, gates);
    sem_destroy(&sem);
    struct answer third = {.came = false};
    pool_check(rig.manager, "p", on_check, &third);
    assert_int_equal(wait_for(&third), 0);
    assert_int_equal(pool_rig_delete_pool(&rig, "p", NULL), 0);
    struct answer none = {.came = false};
    pool_check(rig.manager, "p", on_check, &none);
    wait_for(&none);
    assert_refused(&none, -ENOENT, "pool");
}

static void the_sums_of_a_pool_are_right(void **state)
{
    struct pool_info info;
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", 64 * MIB, 0);
    pool_describe(rig.pool, &info);
    assert_int_equal(info.size_bytes, 16 * MIB - EXTENT_BYTES);
    assert_int_equal(info.used_bytes, 0);
    assert_int_equal(info.free_bytes, info.size_bytes);
    assert_int_equal(info.provisioned_bytes, 64 * MIB);
    assert_int_equal(info.device_count, 1);
    assert_string_equal(info.devices[0].path, rig.pool_path);
    assert_int_equal(info.devices[0].size_bytes, 16 * MIB);
    assert_false(info.devices[0].failed);
    assert_string_equal(info.state, "online");
    assert_int_equal(rig_write(&rig, v, 0, 3 * EXTENT_BYTES, 1), 0);
    pool_describe(rig.pool, &info);
    assert_int_equal(info.used_bytes, 3 * EXTENT_BYTES);
    assert_int_equal(info.free_bytes, info.size_bytes - info.used_bytes);
}

/* ---- The log ----------------------------------------------------------------------- */

static char log_text[65536];

static void log_keep(enum log_level level, const char *line, void *arg)
{
    (void)level;
    (void)arg;
    size_t used = strlen(log_text);
    snprintf(log_text + used, sizeof(log_text) - used, "%s\n", line);
}

/* A path is an admin's text: it must not make log lines of its own. */
static void a_path_cannot_forge_a_log_line(void **state)
{
    char path[400];
    (void)state;
    snprintf(path, sizeof(path), "%s/a\nlevel=info msg=\"forged\".img", rig.dir);
    assert_int_equal(pool_rig_make_pool(&rig, "q", path, MIB, NULL, NULL), 0);
    pool_rig_close(&rig);
    assert_int_equal(unlink(path), 0);
    log_set_sink(log_keep, NULL);
    pool_rig_open(&rig);
    log_set_sink(NULL, NULL);
    assert_non_null(strstr(log_text, "a pool's device cannot be used"));
    assert_null(strstr(log_text, "\nlevel=info msg=\"forged"));
    struct pool_info info;
    pool_describe(pool_find(rig.manager, "q"), &info);
    assert_string_equal(info.state, "failed");
}

#define MANAGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MANAGE_TEST(a_name_is_letters_digits_and_three_signs),
        MANAGE_TEST(a_volume_of_a_wrong_size_is_refused),
        MANAGE_TEST(a_volume_says_what_it_is_also_after_a_restart),
        MANAGE_TEST(no_two_volumes_ever_have_one_naa),
        MANAGE_TEST(a_volume_of_64_tib_takes_no_memory),
        MANAGE_TEST(of_two_that_ask_for_a_name_one_gets_it),
        MANAGE_TEST(a_volume_is_deleted_once),
        MANAGE_TEST(a_volume_of_no_pool_is_refused),
        MANAGE_TEST(volumes_come_in_order_of_name),
        MANAGE_TEST(an_initiator_belongs_to_one_host),
        MANAGE_TEST(an_initiator_is_a_name_of_its_kind),
        MANAGE_TEST(any_stands_alone_and_once),
        MANAGE_TEST(a_host_comes_back_with_its_initiators),
        MANAGE_TEST(the_lowest_free_lun_is_chosen),
        MANAGE_TEST(two_that_ask_at_once_get_two_luns),
        MANAGE_TEST(a_lun_and_a_pair_are_unique),
        MANAGE_TEST(what_is_mapped_is_not_deleted),
        MANAGE_TEST(a_mapping_and_a_deletion_exclude_each_other),
        MANAGE_TEST(mappings_come_back_and_in_order),
        MANAGE_TEST(a_snapshot_is_mapped_read_only_under_its_own_names),
        MANAGE_TEST(an_unmapping_is_answered_when_the_reactors_have_seen_it),
        MANAGE_TEST(closing_answers_what_is_under_way),
        MANAGE_TEST(a_token_is_removed_once),
        MANAGE_TEST(a_bad_pool_is_refused_by_its_field),
        MANAGE_TEST(a_deleted_pool_leaves_its_device_to_others),
        MANAGE_TEST(a_pool_with_volumes_is_not_deleted),
        MANAGE_TEST(a_pool_being_checked_is_not_deleted),
        MANAGE_TEST(the_sums_of_a_pool_are_right),
        MANAGE_TEST(a_path_cannot_forge_a_log_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
