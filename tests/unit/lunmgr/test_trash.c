/* SPDX-License-Identifier: Apache-2.0 */
/* The trash: what is in it comes back whole, or goes in time. */
#include "tests/lib/rig_check.h"
#include "tests/unit/lunmgr/snapshot_rig.h"

#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/volume_priv.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>

static void what_is_in_the_trash_comes_back_whole(void **state)
{
    (void)state;
    struct volume *v = make("v");
    struct err e;
    assert_int_equal(rig_write(&rig, v, 0, MIB, 1), 0);
    snap("v", "s");
    assert_int_equal(rig_write(&rig, v, 0, 4096, 2), 0);
    assert_int_equal(rig_trash(&rig, "v", NULL), 0);
    assert_null(volume_find(rig.manager, "v"));
    assert_null(snapshot_find(rig.manager, "v/s"));
    assert_ptr_equal(volume_trash_find(rig.manager, "v"), v);
    assert_int_equal(volume_trash_count(rig.manager), 1);
    assert_int_equal(snapshot_count(rig.manager), 0);
    make("v");
    pool_rig_reopen(&rig);
    assert_int_equal(rig_restore(&rig, "v", NULL, &e), -EEXIST);
    assert_string_equal(e.field, "name");
    assert_int_equal(rig_restore(&rig, "v", "old", NULL), 0);
    v = volume_find(rig.manager, "old");
    assert_true(rig_reads(&rig, v, 0, 4096, 2));
    assert_true(rig_reads(&rig, snapshot_find(rig.manager, "old/s"), 0, MIB, 1));
    assert_int_equal(rig_trash(&rig, "old", NULL), 0);
    assert_int_equal(rig_purge(&rig, "old", NULL), 0);
    assert_null(volume_trash_next(rig.manager, NULL));
    assert_int_equal(rig_purge(&rig, "old", &e), -ENOENT);
    rig_assert_sound(&rig);
}

static void on_purged(void *arg, const char *id, const char *name)
{
    assert_string_not_equal(id, "");
    snprintf(arg, VOLUME_NAME_MAX, "%s", name);
}

static void the_trash_lets_go_in_time(void **state)
{
    (void)state;
    make("v");
    assert_int_equal(rig_trash(&rig, "v", NULL), 0);
    struct volume *v = volume_trash_find(rig.manager, "v");
    v->trashed_s -= 3600; /* its time is over */
    make("w");
    assert_int_equal(rig_trash(&rig, "w", NULL), 0); /* looks at the clock */
    char purged[VOLUME_NAME_MAX] = "";
    const struct lunmgr_news news = {.arg = purged, .volume_purged = on_purged};
    lunmgr_set_news(rig.manager, &news);
    event_active(rig.manager->trash_timer, EV_TIMEOUT, 0);
    for (int i = 0; i < 10000 && purged[0] == '\0'; i++)
        loop_run_once(rig.control, true);
    assert_string_equal(purged, "v");
    assert_null(volume_trash_find(rig.manager, "v"));
    pool_rig_reopen(&rig);
    assert_non_null(volume_trash_find(rig.manager, "w"));
    assert_null(volume_trash_find(rig.manager, "v"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SNAPSHOT_TEST(what_is_in_the_trash_comes_back_whole),
        SNAPSHOT_TEST(the_trash_lets_go_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
