/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: no wake is lost, hooks run to the end of their work and starve nobody.
 * A lost wake shows as a hang, which the test's time limit ends. */
#include "lunmgr/loop.h"

#include <event2/event.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define POSTER_COUNT 4
#define POST_COUNT   20000

static int loop_setup(void **state)
{
    struct loop *loop = NULL;
    if (loop_create("test", &loop, NULL) != 0)
        return -1;
    *state = loop;
    return 0;
}

static int loop_teardown(void **state)
{
    loop_destroy(*state);
    return 0;
}

/* A note that counts its runs and may do one more thing. */
struct counted {
    struct note note;
    struct loop *loop;
    int run_count;
    void (*then)(struct counted *c);
};

static void counted_run(struct note *note)
{
    struct counted *c = container_of(note, struct counted, note);
    c->run_count++;
    if (c->then != NULL)
        c->then(c);
}

static void stop_it(struct counted *c)
{
    loop_stop(c->loop);
}

static void *post_and_end(void *arg)
{
    struct counted *c = arg;
    loop_post(c->loop, &c->note);
    return NULL;
}

static void note_from_another_thread_wakes_the_loop(void **state)
{
    struct counted c = {.note.run = counted_run, .loop = *state, .then = stop_it};
    pthread_t poster;
    assert_int_equal(pthread_create(&poster, NULL, post_and_end, &c), 0);
    loop_run(*state);
    assert_int_equal(pthread_join(poster, NULL), 0);
    assert_int_equal(c.run_count, 1);
}

#define NOW_AND_THEN 10

static void *post_now_and_then(void *arg)
{
    struct counted *c = arg;
    for (int i = 0; i < NOW_AND_THEN; i++) {
        usleep(2000);
        loop_post(c[i].loop, &c[i].note);
    }
    return NULL;
}

struct turns {
    struct loop_hook hook;
    int count;
};

static bool turns_count(struct loop_hook *hook)
{
    container_of(hook, struct turns, hook)->count++;
    return false;
}

/* Between two of them it sleeps: a wake that lasted would have it turn all the time. */
static void a_wake_wakes_once(void **state)
{
    struct counted c[NOW_AND_THEN];
    struct turns turns = {.hook.turn = turns_count};
    pthread_t poster;
    for (int i = 0; i < NOW_AND_THEN; i++)
        c[i] = (struct counted){.note.run = counted_run, .loop = *state};
    c[NOW_AND_THEN - 1].then = stop_it;
    loop_add_hook(*state, &turns.hook);
    assert_int_equal(pthread_create(&poster, NULL, post_now_and_then, c), 0);
    loop_run(*state);
    assert_int_equal(pthread_join(poster, NULL), 0);
    assert_in_range(turns.count, 1, 4 * NOW_AND_THEN);
}

static void note_posted_before_the_run_is_run(void **state)
{
    struct counted c = {.note.run = counted_run, .loop = *state, .then = stop_it};
    loop_post(*state, &c.note);
    assert_int_equal(c.run_count, 0);
    loop_run(*state);
    assert_int_equal(c.run_count, 1);
}

static void post_again(struct counted *c)
{
    if (c->run_count < 1000)
        loop_post(c->loop, &c->note);
    else
        loop_stop(c->loop);
}

static void note_that_posts_itself_keeps_the_loop_awake(void **state)
{
    struct counted c = {.note.run = counted_run, .loop = *state, .then = post_again};
    loop_post(*state, &c.note);
    loop_run(*state);
    assert_int_equal(c.run_count, 1000);
}

/* ---- many posters ---- */

struct flood {
    struct loop *loop;
    struct note notes[POSTER_COUNT][POST_COUNT];
    struct note *due[POSTER_COUNT]; /* the loop's: the next of each poster */
    int run_count;
    bool in_order;
};

static struct flood flood; /* large */

static void flood_run(struct note *note)
{
    size_t poster = (size_t)(note - &flood.notes[0][0]) / POST_COUNT;
    flood.in_order = flood.in_order && flood.due[poster] == note;
    flood.due[poster] = note + 1;
    if (++flood.run_count == POSTER_COUNT * POST_COUNT)
        loop_stop(flood.loop);
}

static void *flood_main(void *arg)
{
    struct note *notes = arg;
    for (int i = 0; i < POST_COUNT; i++) {
        notes[i].run = flood_run;
        loop_post(flood.loop, &notes[i]);
    }
    return NULL;
}

static void every_note_of_many_threads_runs_once_in_its_order(void **state)
{
    flood.loop = *state;
    flood.in_order = true;
    pthread_t threads[POSTER_COUNT];
    for (int i = 0; i < POSTER_COUNT; i++) {
        flood.due[i] = flood.notes[i];
        assert_int_equal(pthread_create(&threads[i], NULL, flood_main, flood.notes[i]),
                         0);
    }
    loop_run(*state);
    for (int i = 0; i < POSTER_COUNT; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(flood.run_count, POSTER_COUNT * POST_COUNT);
    assert_true(flood.in_order);
}

/* One note between two loops: each is asleep when it comes. */
struct ball {
    struct note note;
    struct loop *loops[2];
    int side;
    int hit_count;
};

static void ball_run(struct note *note)
{
    struct ball *ball = container_of(note, struct ball, note);
    if (++ball->hit_count == POST_COUNT) {
        loop_stop(ball->loops[0]);
        loop_stop(ball->loops[1]);
        return;
    }
    ball->side = 1 - ball->side;
    loop_post(ball->loops[ball->side], &ball->note);
}

static void no_wake_is_lost_between_two_loops(void **state)
{
    struct loop *other = NULL;
    assert_int_equal(loop_create("other", &other, NULL), 0);
    struct ball ball = {.note.run = ball_run, .loops = {*state, other}};
    assert_int_equal(loop_start(other, NULL), 0);
    loop_post(*state, &ball.note);
    loop_run(*state);
    loop_join(other);
    assert_int_equal(ball.hit_count, POST_COUNT);
    loop_destroy(other);
}

/* ---- hooks ---- */

struct work {
    struct loop_hook hook;
    struct loop *loop;
    struct work *feeds; /* gets one unit for each that this does */
    int left;
    int turn_count;
    char name;
};

static char trace_text[64];
static size_t trace_bytes;

static void trace_name(char name)
{
    if (trace_bytes < sizeof(trace_text) - 1)
        trace_text[trace_bytes++] = name;
}

static int trace_setup(void **state)
{
    memset(trace_text, 0, sizeof(trace_text));
    trace_bytes = 0;
    return loop_setup(state);
}

static bool work_turn(struct loop_hook *hook)
{
    struct work *w = container_of(hook, struct work, hook);
    w->turn_count++;
    if (w->left == 0)
        return false;
    w->left--;
    trace_name(w->name);
    if (w->feeds != NULL)
        w->feeds->left++;
    return true;
}

static void hooks_run_in_order_until_none_has_work(void **state)
{
    struct work a = {.hook.turn = work_turn, .name = 'a', .left = 2};
    struct work b = {.hook.turn = work_turn, .name = 'b', .feeds = &a, .left = 1};
    loop_add_hook(*state, &a.hook);
    loop_add_hook(*state, &b.hook);
    loop_run_once(*state, false);
    assert_string_equal(trace_text, "abaa");
    assert_int_equal(a.left + b.left, 0);
}

static void turn_that_found_work_does_not_wait(void **state)
{
    struct work a = {.hook.turn = work_turn, .name = 'a', .left = 1};
    loop_add_hook(*state, &a.hook);
    loop_run_once(*state, true); /* would hang: nothing else happens */
    assert_int_equal(a.left, 0);
}

static bool never_ends(struct loop_hook *hook)
{
    (void)hook;
    return true;
}

static void stop_on_event(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    loop_stop(arg);
}

static void busy_hook_does_not_starve_descriptors(void **state)
{
    struct loop_hook hook = {.turn = never_ends};
    loop_add_hook(*state, &hook);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct event *readable =
        event_new(loop_base(*state), fds[0], EV_READ, stop_on_event, *state);
    assert_non_null(readable);
    assert_int_equal(event_add(readable, NULL), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    loop_run(*state); /* would hang */
    event_free(readable);
    close(fds[0]);
    close(fds[1]);
}

static bool removes_its_next(struct loop_hook *hook)
{
    struct work *w = container_of(hook, struct work, hook);
    if (w->feeds != NULL)
        loop_remove_hook(w->loop, &w->feeds->hook);
    w->feeds = NULL;
    return false;
}

static bool removes_itself(struct loop_hook *hook)
{
    struct work *w = container_of(hook, struct work, hook);
    w->turn_count++;
    loop_remove_hook(w->loop, hook);
    return true;
}

static void hook_may_remove_itself_and_its_next(void **state)
{
    struct work gone = {.hook.turn = work_turn, .left = 1};
    struct work remover = {.hook.turn = removes_its_next, .loop = *state, .feeds = &gone};
    struct work once = {.hook.turn = removes_itself, .loop = *state};
    struct work last = {.hook.turn = work_turn, .left = 1};
    loop_add_hook(*state, &remover.hook);
    loop_add_hook(*state, &gone.hook);
    loop_add_hook(*state, &once.hook);
    loop_add_hook(*state, &last.hook);
    loop_run_once(*state, false);
    assert_int_equal(gone.turn_count, 0);
    assert_int_equal(once.turn_count, 1);
    assert_int_equal(last.left, 0);
}

/* ---- stopping, threads ---- */

static void stop_before_the_run_ends_it_at_once(void **state)
{
    loop_stop(*state);
    loop_run_once(*state, true); /* would hang: a stop leaves nothing to wait for */
    loop_run(*state);            /* would hang */
    struct counted c = {.note.run = counted_run, .loop = *state, .then = stop_it};
    loop_post(*state, &c.note);
    loop_run(*state); /* the stop is used up */
    assert_int_equal(c.run_count, 1);
}

static void started_loop_stops_from_another_thread(void **state)
{
    for (int i = 0; i < 200; i++) {
        assert_int_equal(loop_start(*state, NULL), 0);
        loop_stop(*state);
        loop_join(*state);
    }
}

struct look {
    struct note note;
    struct loop *loop;
    bool mine, blocks_term;
    char name[16];
};

static void look_run(struct note *note)
{
    struct look *look = container_of(note, struct look, note);
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    look->blocks_term = sigismember(&blocked, SIGTERM) == 1;
    look->mine = loop_is_mine(look->loop);
    pthread_getname_np(pthread_self(), look->name, sizeof(look->name));
    loop_stop(look->loop);
}

static void loop_has_its_own_named_thread_without_signals(void **state)
{
    struct look look = {.note.run = look_run, .loop = *state};
    assert_true(loop_is_mine(*state));
    assert_int_equal(loop_start(*state, NULL), 0);
    assert_false(loop_is_mine(*state));
    loop_post(*state, &look.note);
    loop_join(*state);
    assert_true(loop_is_mine(*state));
    assert_true(look.mine);
    assert_true(look.blocks_term);
    assert_string_equal(look.name, "test");
    assert_string_equal(loop_name(*state), "test");
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, trace_setup, loop_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOOP(note_from_another_thread_wakes_the_loop),
        WITH_LOOP(a_wake_wakes_once),
        WITH_LOOP(note_posted_before_the_run_is_run),
        WITH_LOOP(note_that_posts_itself_keeps_the_loop_awake),
        WITH_LOOP(every_note_of_many_threads_runs_once_in_its_order),
        WITH_LOOP(no_wake_is_lost_between_two_loops),
        WITH_LOOP(hooks_run_in_order_until_none_has_work),
        WITH_LOOP(turn_that_found_work_does_not_wait),
        WITH_LOOP(busy_hook_does_not_starve_descriptors),
        WITH_LOOP(hook_may_remove_itself_and_its_next),
        WITH_LOOP(stop_before_the_run_ends_it_at_once),
        WITH_LOOP(started_loop_stops_from_another_thread),
        WITH_LOOP(loop_has_its_own_named_thread_without_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
