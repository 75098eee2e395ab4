/* SPDX-License-Identifier: Apache-2.0 */
/* A drain waits for those that came before the hold and for nobody else; who parks on a
 * held word is woken when it is released. */
#include "lunmgr/stripe.h"

#include "lunmgr/word.h"
#include "tests/lib/random.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct waiter {
    struct stripe_wait wait;
    unsigned woken;
};

static struct inbox box;
static struct stripe stripe;

static void no_wake(void *arg)
{
    (void)arg;
}

static void waiter_woken(struct note *note)
{
    container_of(note, struct waiter, wait.note)->woken++;
}

static struct stripe_wait *waiter_init(struct waiter *w)
{
    *w = (struct waiter){.wait = {.note.run = waiter_woken, .inbox = &box}};
    return &w->wait;
}

static int setup(void **state)
{
    (void)state;
    inbox_init(&box, no_wake, NULL);
    stripe_init(&stripe);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    stripe_fini(&stripe);
    return 0;
}

static void an_empty_stripe_is_drained_at_once(void **state)
{
    struct waiter w;
    (void)state;
    assert_true(stripe_drain(&stripe, waiter_init(&w)));
    uint32_t phase = stripe_enter(&stripe);
    stripe_leave(&stripe, phase);
    assert_true(stripe_drain(&stripe, waiter_init(&w)));
    assert_false(inbox_run(&box)); /* and no note comes */
}

static void a_drain_waits_for_those_before_it_alone(void **state)
{
    struct waiter w;
    (void)state;
    uint32_t first = stripe_enter(&stripe), second = stripe_enter(&stripe);
    assert_false(stripe_drain(&stripe, waiter_init(&w)));
    uint32_t later = stripe_enter(&stripe);
    stripe_leave(&stripe, first);
    inbox_run(&box);
    assert_int_equal(w.woken, 0);
    stripe_leave(&stripe, second);
    inbox_run(&box);
    assert_int_equal(w.woken, 1);
    stripe_leave(&stripe, later);
    inbox_run(&box);
    assert_int_equal(w.woken, 1);
}

static void newcomers_do_not_starve_a_drain(void **state)
{
    struct waiter w;
    (void)state;
    uint32_t old = stripe_enter(&stripe);
    assert_false(stripe_drain(&stripe, waiter_init(&w)));
    uint32_t last = stripe_enter(&stripe);
    for (int i = 0; i < 1000; i++) { /* there is always one in */
        uint32_t next = stripe_enter(&stripe);
        stripe_leave(&stripe, last);
        last = next;
    }
    stripe_leave(&stripe, old);
    inbox_run(&box);
    assert_int_equal(w.woken, 1);
    stripe_leave(&stripe, last);
}

/* Who asks while a drain is under way waits for those that came since it began too. */
static void a_second_drain_waits_for_the_newcomers_of_the_first(void **state)
{
    struct waiter first, second, third;
    (void)state;
    uint32_t a = stripe_enter(&stripe);
    assert_false(stripe_drain(&stripe, waiter_init(&first)));
    uint32_t b = stripe_enter(&stripe);
    assert_false(stripe_drain(&stripe, waiter_init(&second)));
    assert_false(stripe_drain(&stripe, waiter_init(&third)));
    stripe_leave(&stripe, a);
    inbox_run(&box);
    assert_int_equal(first.woken, 1);
    assert_int_equal(second.woken, 0);
    uint32_t c = stripe_enter(&stripe);
    stripe_leave(&stripe, b);
    inbox_run(&box);
    assert_int_equal(second.woken, 1);
    assert_int_equal(third.woken, 1);
    stripe_leave(&stripe, c);
}

static void a_second_drain_whose_writers_are_gone_ends_with_the_first(void **state)
{
    struct waiter first, second;
    (void)state;
    uint32_t a = stripe_enter(&stripe);
    assert_false(stripe_drain(&stripe, waiter_init(&first)));
    assert_false(stripe_drain(&stripe, waiter_init(&second)));
    stripe_leave(&stripe, a);
    inbox_run(&box);
    assert_int_equal(first.woken, 1);
    assert_int_equal(second.woken, 1);
}

static void a_release_wakes_who_parked_on_that_word_alone(void **state)
{
    _Atomic uint64_t one = WORD_HELD | 5, other = WORD_HELD;
    struct waiter a, b, c;
    (void)state;
    assert_true(stripe_park(&stripe, &one, waiter_init(&a)));
    assert_true(stripe_park(&stripe, &other, waiter_init(&b)));
    assert_true(stripe_park(&stripe, &one, waiter_init(&c)));
    stripe_release(&stripe, &one);
    assert_int_equal(one, 5);
    inbox_run(&box);
    assert_int_equal(a.woken, 1);
    assert_int_equal(b.woken, 0);
    assert_int_equal(c.woken, 1);
    assert_false(stripe_park(&stripe, &one, waiter_init(&a))); /* free: go again */
    stripe_release(&stripe, &other);
    inbox_run(&box);
    assert_int_equal(b.woken, 1);
}

/* ---- Threads ----------------------------------------------------------------------- */

#define WORDS 3

/* Writers add 1 to a cell's number in two steps that a holder must never see between;
 * nobody but the holder runs while a word is held and drained. */
struct contest {
    _Atomic uint64_t cells[WORDS];
    atomic_int writers[WORDS]; /* inside */
    atomic_bool stop;
    atomic_uint holds, offences;
};

static struct contest contest;

struct sleeper { /* a thread that waits for its notes */
    struct inbox box;
    atomic_bool posted, woken;
};

struct sleeper_wait {
    struct stripe_wait wait;
    struct sleeper *sleeper;
};

static void sleeper_wake(void *arg)
{
    atomic_store(&((struct sleeper *)arg)->posted, true);
}

static void sleeper_note(struct note *note)
{
    atomic_store(&container_of(note, struct sleeper_wait, wait.note)->sleeper->woken,
                 true);
}

static void sleeper_sleep(struct sleeper *s)
{
    while (!atomic_load(&s->woken)) {
        if (atomic_exchange(&s->posted, false))
            inbox_run(&s->box);
        else
            usleep(1);
    }
    atomic_store(&s->woken, false);
}

static struct stripe_wait *sleeper_wait(struct sleeper *s, struct sleeper_wait *w)
{
    *w = (struct sleeper_wait){.wait = {.note.run = sleeper_note, .inbox = &s->box},
                               .sleeper = s};
    return &w->wait;
}

static void *contest_writer(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    struct sleeper me = {.posted = false};
    inbox_init(&me.box, sleeper_wake, &me);
    while (!atomic_load(&contest.stop)) {
        unsigned i = (unsigned)draw(&seed, WORDS);
        uint32_t phase = stripe_enter(&stripe);
        if ((atomic_load(&contest.cells[i]) & WORD_HELD) == 0) {
            atomic_fetch_add(&contest.writers[i], 1);
            atomic_fetch_sub(&contest.writers[i], 1);
            stripe_leave(&stripe, phase);
            continue;
        }
        stripe_leave(&stripe, phase);
        struct sleeper_wait w;
        if (stripe_park(&stripe, &contest.cells[i], sleeper_wait(&me, &w)))
            sleeper_sleep(&me);
    }
    return NULL;
}

static void *contest_holder(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    struct sleeper me = {.posted = false};
    struct sleeper_wait w;
    inbox_init(&me.box, sleeper_wake, &me);
    for (unsigned n = 0; n < 3000; n++) {
        unsigned i = (unsigned)draw(&seed, WORDS);
        while ((atomic_fetch_or(&contest.cells[i], WORD_HELD) & WORD_HELD) != 0)
            if (stripe_park(&stripe, &contest.cells[i], sleeper_wait(&me, &w)))
                sleeper_sleep(&me);
        if (!stripe_drain(&stripe, sleeper_wait(&me, &w)))
            sleeper_sleep(&me);
        for (int look = 0; look < 20; look++)
            if (atomic_load(&contest.writers[i]) != 0)
                atomic_fetch_add(&contest.offences, 1);
        stripe_release(&stripe, &contest.cells[i]);
        atomic_fetch_add(&contest.holds, 1);
    }
    return NULL;
}

static void nobody_writes_a_word_that_is_held_and_drained(void **state)
{
    pthread_t writers[2], holders[2];
    (void)state;
    for (uintptr_t i = 0; i < 2; i++) {
        assert_int_equal(
            pthread_create(&writers[i], NULL, contest_writer, (void *)(i + 1)), 0);
        assert_int_equal(
            pthread_create(&holders[i], NULL, contest_holder, (void *)(i + 11)), 0);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(holders[i], NULL);
    atomic_store(&contest.stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(writers[i], NULL);
    assert_int_equal(contest.offences, 0);
    assert_int_equal(contest.holds, 6000);
}

#define STRIPE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STRIPE_TEST(an_empty_stripe_is_drained_at_once),
        STRIPE_TEST(a_drain_waits_for_those_before_it_alone),
        STRIPE_TEST(newcomers_do_not_starve_a_drain),
        STRIPE_TEST(a_second_drain_waits_for_the_newcomers_of_the_first),
        STRIPE_TEST(a_second_drain_whose_writers_are_gone_ends_with_the_first),
        STRIPE_TEST(a_release_wakes_who_parked_on_that_word_alone),
        STRIPE_TEST(nobody_writes_a_word_that_is_held_and_drained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
