/* SPDX-License-Identifier: Apache-2.0 */
/* What comes by itself: from below, of sessions and refusals, and how often it is told.
 */
#include "cm.h"
#include "rig.h"
#include "web/damper.h"
#include "web/events.h"
#include "web/server.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>

static uint64_t since_start(const struct rig *r)
{
    return events_last(r->web->events) - 1; /* daemon.started */
}

static void refuse(struct rig *r, const char *initiator, const char *address)
{
    const struct target_events *events = fake_target_events(r->target);
    struct target_seen seen = {.status = 0x202, .reason = "no host has this name"};
    snprintf(seen.initiator, sizeof(seen.initiator), "%s", initiator);
    snprintf(seen.address, sizeof(seen.address), "%s", address);
    events->login_refused(events->arg, &seen);
}

static void flood_of_refusals_leaves_the_ring_to_others(void **state)
{
    struct rig *r = *state;
    char name[64];
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(name, sizeof(name), "iqn.2024-01.com.example:%u", i % 2 == 0 ? 0 : i);
        refuse(r, name, "192.0.2.7");
    }
    assert_in_range(since_start(r), 1, 64);
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=initiator.refused", NULL), 200);
    assert_string_equal(rig_text(r, "items/0/subject/name"), "iqn.2024-01.com.example:0");
    assert_string_equal(rig_text(r, "items/0/data/status"), "0202");
    assert_string_equal(rig_text(r, "items/0/data/address"), "192.0.2.7");
    web_drain(r->web); /* says what is untold */
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=initiator.refused", NULL), 200);
    size_t count = json_array_size(rig_get(r, "items"));
    long long more = 0;
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "items/%zu/data/more", i);
        more += rig_number(r, name) > 0 ? rig_number(r, name) - 1 : 0;
    }
    assert_int_equal(more + (long long)count, 20000);
}

static void while_ends(struct rig *r, struct damper *d)
{
    event_active(&d->timer, EV_TIMEOUT, 0);
    rig_settle(r);
}

/* Of one that goes on and on an event a while; after a while of rest it is new. */
static void causer_that_goes_on_is_told_of_once_a_while(void **state)
{
    static const struct damper_rule rule = {"login", "refused", 2, 2};
    static struct damper d;
    static const struct damper_key a = {"a", ""}, b = {"b", ""}, c = {"c", ""};
    struct rig *r = *state;
    damper_init(&d, r->web, loop_base(r->loop), &rule);
    for (int i = 0; i < 10; i++)
        damper_publish(&d, &a, NULL, NULL);
    assert_int_equal(since_start(r), 2);
    damper_publish(&d, &b, NULL, NULL);
    damper_publish(&d, &c, NULL, NULL); /* one too many to be told apart */
    assert_int_equal(since_start(r), 3);
    while_ends(r, &d);
    assert_int_equal(since_start(r), 5); /* 8 more of a, 1 of others */
    damper_publish(&d, &a, NULL, NULL);
    assert_int_equal(since_start(r), 5);
    damper_publish(&d, &b, NULL, NULL);
    assert_int_equal(since_start(r), 6);
    while_ends(r, &d);
    assert_int_equal(since_start(r), 7);
    while_ends(r, &d);
    assert_int_equal(since_start(r), 7);
    damper_publish(&d, &a, NULL, NULL);
    assert_int_equal(since_start(r), 8);
    assert_int_equal(rig_call(r, "GET", "/v1/events?after=7-1", NULL), 200);
    assert_int_equal(rig_number(r, "items/3/data/more"), 8);
    assert_string_equal(rig_text(r, "items/3/subject/name"), "a");
    assert_int_equal(rig_number(r, "items/4/data/more"), 1);
    assert_true(json_is_null(rig_get(r, "items/4/subject/name")));
    damper_fini(&d);
}

static void sessions_are_told_with_the_reason_of_their_end(void **state)
{
    struct rig *r = *state;
    const struct target_events *events = fake_target_events(r->target);
    struct target_session_news s = {.id = 7,
                                    .initiator = "iqn.2024-01.com.example:h",
                                    .host = "h",
                                    .target = "iqn.2024-01.com.example:ashlar",
                                    .address = "192.0.2.7:1"};
    events->session_opened(events->arg, &s);
    s.reason = "logout";
    events->session_closed(events->arg, &s);
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=session.", NULL), 200);
    assert_string_equal(rig_text(r, "items/0/type"), "session.opened");
    assert_string_equal(rig_text(r, "items/0/subject/id"), "7");
    assert_string_equal(rig_text(r, "items/0/subject/name"), "h");
    assert_true(json_is_null(rig_get(r, "items/0/data/reason")));
    assert_string_equal(rig_text(r, "items/1/type"), "session.closed");
    assert_string_equal(rig_text(r, "items/1/data/reason"), "logout");
}

static void thresholds_are_told_of_their_pool_or_volume(void **state)
{
    struct rig *r = *state;
    const struct target_events *events = fake_target_events(r->target);
    struct target_threshold_news t = {.pool_id = "p1",
                                      .pool = "p",
                                      .threshold_bytes = 100,
                                      .free_bytes = 90,
                                      .used_bytes = 310,
                                      .volume_count = 3};
    events->threshold_reached(events->arg, &t);
    t.volume_id = "v1";
    t.volume = "v";
    t.used_bytes = 200;
    t.volume_count = 1;
    events->threshold_reached(events->arg, &t);
    assert_int_equal(rig_call(r, "GET", "/v1/events?after=7-1", NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 2);
    assert_string_equal(rig_text(r, "items/0/type"), "pool.threshold_reached");
    assert_string_equal(rig_text(r, "items/0/subject/id"), "p1");
    assert_string_equal(rig_text(r, "items/0/subject/name"), "p");
    assert_int_equal(rig_number(r, "items/0/data/threshold"), 100);
    assert_int_equal(rig_number(r, "items/0/data/free"), 90);
    assert_int_equal(rig_number(r, "items/0/data/used"), 310);
    assert_int_equal(rig_number(r, "items/0/data/volumes"), 3);
    assert_string_equal(rig_text(r, "items/1/type"), "volume.threshold_reached");
    assert_string_equal(rig_text(r, "items/1/subject/id"), "v1");
    assert_string_equal(rig_text(r, "items/1/subject/name"), "v");
    assert_string_equal(rig_text(r, "items/1/data/pool"), "p");
}

static void news_from_below_are_events(void **state)
{
    struct rig *r = *state;
    const struct lunmgr_news *news = fake_news(r->m);
    news->device_failed(news->arg, "d1", "/dev/sdx", "p", "fdatasync", EIO);
    news->space_refused(news->arg, "p1", "p", 5, 2);
    news->space_refused(news->arg, "p1", "p", 6, 0);
    news->space_back(news->arg, "p1", "p", 65536);
    struct pool_usage_news usage = {.id = "p1",
                                    .pool = "p",
                                    .percent = 90,
                                    .used_bytes = 95,
                                    .size_bytes = 100,
                                    .free_bytes = 5,
                                    .reached = true};
    news->pool_usage(news->arg, &usage);
    usage.reached = false;
    news->pool_usage(news->arg, &usage);
    news->volume_purged(news->arg, "v1", "v");
    news->job_ended(news->arg, &(struct job_info){.id = "j1",
                                                  .kind = "pool-check",
                                                  .state = "failed",
                                                  .subject = "p",
                                                  .error = "the disk is gone"});
    news->volume_sanitizing(news->arg, "v2", "w");
    news->volume_sanitized(news->arg, "v2", "w", false);
    news->volume_sanitized(news->arg, "v2", "w", true);
    assert_int_equal(rig_call(r, "GET", "/v1/events?after=7-1", NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 10);
    assert_string_equal(rig_text(r, "items/0/type"), "device.failed");
    assert_string_equal(rig_text(r, "items/0/data/error"), "EIO");
    assert_string_equal(rig_text(r, "items/1/type"), "pool.full");
    assert_int_equal(rig_number(r, "items/1/data/writes"), 5);
    assert_int_equal(rig_number(r, "items/1/data/waiting"), 2);
    assert_string_equal(rig_text(r, "items/2/type"), "pool.has_space");
    assert_int_equal(rig_number(r, "items/2/data/free"), 65536);
    assert_string_equal(rig_text(r, "items/3/type"), "pool.usage_reached");
    assert_int_equal(rig_number(r, "items/3/data/percent"), 90);
    assert_int_equal(rig_number(r, "items/3/data/used"), 95);
    assert_string_equal(rig_text(r, "items/4/type"), "pool.usage_left");
    assert_string_equal(rig_text(r, "items/5/type"), "volume.purged");
    assert_string_equal(rig_text(r, "items/5/who"), "ashlard");
    assert_string_equal(rig_text(r, "items/6/type"), "job.failed");
    assert_string_equal(rig_text(r, "items/6/subject/id"), "j1");
    assert_string_equal(rig_text(r, "items/6/data/kind"), "pool-check");
    assert_string_equal(rig_text(r, "items/6/data/error"), "the disk is gone");
    assert_string_equal(rig_text(r, "items/7/type"), "volume.sanitizing");
    assert_string_equal(rig_text(r, "items/8/type"), "volume.sanitize_failed");
    assert_string_equal(rig_text(r, "items/9/type"), "volume.sanitized");
}

static void a_mirror_that_fails_is_an_event(void **state)
{
    struct rig *r = *state;
    const struct lunmgr_news *news = fake_news(r->m);
    assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
    assert_string_equal(rig_text(r, "catalog_mirror"), "off");
    fake_mirror(r->m, "failed", "it is full");
    news->mirror_changed(news->arg);
    fake_mirror(r->m, "current", "");
    news->mirror_changed(news->arg);
    assert_int_equal(rig_call(r, "GET", "/v1", NULL), 200);
    assert_string_equal(rig_text(r, "catalog_mirror"), "current");
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=catalog.mirror_failed", NULL),
                     200);
    assert_string_equal(rig_text(r, "items/0/data/reason"), "it is full");
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=catalog.mirror_current", NULL),
                     200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 1);
}

static void who_has_no_token_is_told_of_once(void **state)
{
    static struct client client;
    struct rig *r = *state;
    assert_int_equal(client_open_tcp(&client, web_tcp_address(r->web), rig_pump, r), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(rig_call_on(r, &client, "GET", "/v1", NULL), 401);
    client_close(&client);
    assert_int_equal(rig_call(r, "GET", "/v1/events?type=client.refused", NULL), 200);
    assert_int_equal(json_array_size(rig_get(r, "items")), 1);
    assert_string_equal(rig_text(r, "items/0/subject/name"), "127.0.0.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(thresholds_are_told_of_their_pool_or_volume),
        WITH_RIG(flood_of_refusals_leaves_the_ring_to_others),
        WITH_RIG(causer_that_goes_on_is_told_of_once_a_while),
        WITH_RIG(sessions_are_told_with_the_reason_of_their_end),
        WITH_RIG(news_from_below_are_events),
        WITH_RIG(a_mirror_that_fails_is_an_event),
        WITH_RIG(who_has_no_token_is_told_of_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
