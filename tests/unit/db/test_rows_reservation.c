/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of persistent reservations: one with all its registrations a volume, replaced
 * as a whole, and gone with it. */
#include "rows_rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEPT_ROOM 3

static struct kept_reservation *kept_of(uint32_t count, uint64_t key)
{
    struct kept_reservation *kept =
        calloc(1, sizeof(*kept) + count * sizeof(kept->list[0]));
    assert_non_null(kept);
    kept->type = RESERVATION_WRITE_REGISTRANTS;
    kept->holder = count - 1;
    kept->count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct nexus_name *nexus = &kept->list[i].nexus;
        memset(nexus->initiator, 'x', REGISTRATION_NAME_MAX - 1);
        memcpy(nexus->initiator, "iqn.", 4);
        nexus->initiator[4] = (char)('0' + i % 10); /* several have the same name */
        memset(nexus->target, 'z', REGISTRATION_NAME_MAX - 1);
        memset(nexus->isid, (int)(0xf0 + i), sizeof(nexus->isid));
        nexus->portal_group_tag = (uint16_t)(UINT16_MAX - i);
        kept->list[i].key = key - i;
    }
    return kept;
}

struct found {
    unsigned count;
    char volume_id[4][CATALOG_ID_MAX];
    struct kept_reservation *kept[4];
};

static int collect(const char *volume_id, const struct kept_reservation *kept, void *arg)
{
    struct found *found = arg;
    size_t bytes = sizeof(*kept) + kept->count * sizeof(kept->list[0]);
    assert_in_range(found->count, 0, 3);
    snprintf(found->volume_id[found->count], CATALOG_ID_MAX, "%s", volume_id);
    found->kept[found->count] = malloc(bytes);
    assert_non_null(found->kept[found->count]);
    memcpy(found->kept[found->count++], kept, bytes);
    return 0;
}

static void found_free(struct found *found)
{
    for (unsigned i = 0; i < found->count; i++)
        free(found->kept[i]);
}

static void assert_kept(const struct kept_reservation *a,
                        const struct kept_reservation *b)
{
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->holder, b->holder);
    assert_int_equal(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        assert_string_equal(a->list[i].nexus.initiator, b->list[i].nexus.initiator);
        assert_string_equal(a->list[i].nexus.target, b->list[i].nexus.target);
        assert_memory_equal(a->list[i].nexus.isid, b->list[i].nexus.isid,
                            REGISTRATION_ISID_BYTES);
        assert_int_equal(a->list[i].nexus.portal_group_tag,
                         b->list[i].nexus.portal_group_tag);
        assert_true(a->list[i].key == b->list[i].key);
    }
}

/* The listing has this one alone, of v1; kept NULL: it is empty. */
static void assert_lists(struct rig *r, const struct kept_reservation *kept)
{
    struct found found = {.count = 0};
    assert_int_equal(reservation_row_each(&r->txn, collect, &found, NULL), 0);
    assert_int_equal(found.count, kept == NULL ? 0 : 1);
    if (kept != NULL) {
        assert_string_equal(found.volume_id[0], "v1");
        assert_kept(found.kept[0], kept);
    }
    found_free(&found);
}

static void a_reservation_comes_back_with_its_registrations_in_order(void **state)
{
    static const uint32_t counts[] = {1, 2, 11, REGISTRATION_COUNT_MAX};
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    add_volume(r, "v1", "web");
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        AUTO_FREE struct kept_reservation *kept = kept_of(counts[i], UINT64_MAX);
        assert_int_equal(reservation_row_set(&r->txn, "v1", kept, NULL), 0);
        assert_lists(r, kept);
    }
}

static void a_smaller_one_takes_the_place_of_a_larger_one(void **state)
{
    struct rig *r = *state;
    AUTO_FREE struct kept_reservation *large = kept_of(5, 99), *small = kept_of(2, 7);
    add_pool(r, "p1", "fast");
    add_volume(r, "v1", "web");
    small->type = RESERVATION_NONE;
    small->holder = 0;
    assert_int_equal(reservation_row_set(&r->txn, "v1", large, NULL), 0);
    assert_int_equal(reservation_row_set(&r->txn, "v1", small, NULL), 0);
    assert_lists(r, small);
    assert_int_equal(reservation_row_set(&r->txn, "v1", NULL, NULL), 0);
    assert_lists(r, NULL);
    assert_int_equal(reservation_row_set(&r->txn, "v1", NULL, NULL), 0);
}

static void each_volume_has_its_own(void **state)
{
    struct rig *r = *state;
    struct found found = {.count = 0};
    add_pool(r, "p1", "fast");
    for (unsigned i = 0; i < 4; i++) {
        char id[8], name[8];
        AUTO_FREE struct kept_reservation *kept = kept_of(i + 1, 100 * (i + 1));
        snprintf(id, sizeof(id), "v%u", i);
        snprintf(name, sizeof(name), "n%u", i);
        add_volume(r, id, name);
        if (i != 2)
            assert_int_equal(reservation_row_set(&r->txn, id, kept, NULL), 0);
    }
    assert_int_equal(reservation_row_each(&r->txn, collect, &found, NULL), 0);
    assert_int_equal(found.count, 3);
    for (unsigned i = 0; i < 3; i++) {
        unsigned no = i == 2 ? 3 : i;
        AUTO_FREE struct kept_reservation *kept = kept_of(no + 1, 100 * (no + 1));
        assert_int_equal(found.volume_id[i][1], '0' + (int)no);
        assert_kept(found.kept[i], kept);
    }
    found_free(&found);
}

static void it_is_a_volumes_and_goes_with_it(void **state)
{
    struct rig *r = *state;
    AUTO_FREE struct kept_reservation *kept = kept_of(2, 7);
    add_pool(r, "p1", "fast");
    add_volume(r, "v1", "web");
    assert_int_equal(reservation_row_set(&r->txn, "v2", kept, NULL), -ENOENT);
    assert_int_equal(reservation_row_set(&r->txn, "v2", NULL, NULL), 0);
    assert_int_equal(reservation_row_set(&r->txn, "v1", kept, NULL), 0);
    assert_int_equal(volume_row_remove(&r->txn, "v1", NULL), 0);
    assert_lists(r, NULL);
}

static void rows_that_make_no_sense_are_refused(void **state)
{
    struct rig *r = *state;
    struct found found = {.count = 0};
    struct err e = {0};
    AUTO_FREE struct kept_reservation *kept = kept_of(KEPT_ROOM, 9);
    add_pool(r, "p1", "fast");
    add_volume(r, "v1", "web");
    kept->list[1].key = 0;
    assert_int_not_equal(reservation_row_set(&r->txn, "v1", kept, NULL), 0);
    kept->list[1].key = 8;
    kept->type = (enum reservation_type)2;
    assert_int_not_equal(reservation_row_set(&r->txn, "v1", kept, NULL), 0);
    kept->type = RESERVATION_WRITE_EXCLUSIVE;
    kept->holder = KEPT_ROOM; /* nobody's index */
    assert_int_equal(reservation_row_set(&r->txn, "v1", kept, NULL), 0);
    assert_int_equal(reservation_row_each(&r->txn, collect, &found, &e), -EUCLEAN);
    assert_non_null(strstr(e.text, "v1"));
    assert_int_equal(found.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(a_reservation_comes_back_with_its_registrations_in_order),
        ROW_TEST(a_smaller_one_takes_the_place_of_a_larger_one),
        ROW_TEST(each_volume_has_its_own),
        ROW_TEST(it_is_a_volumes_and_goes_with_it),
        ROW_TEST(rows_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
