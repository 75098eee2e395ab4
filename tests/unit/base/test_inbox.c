/* SPDX-License-Identifier: Apache-2.0 */
/* base/inbox.h: every note runs once, each poster's in its order, and an owner that
 * sleeps only when told to is never left asleep over a note. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/inbox.h"

#define POSTERS        4
#define NOTES_A_POSTER 5000

struct owner {
    struct inbox box;
    pthread_mutex_t lock;
    pthread_cond_t rung;
    bool awake;
    int ran;
    int last[POSTERS];
    bool out_of_order;
};

struct letter {
    struct note note;
    struct owner *owner;
    int poster, number;
};

static void wake(void *arg)
{
    struct owner *o = arg;
    pthread_mutex_lock(&o->lock);
    o->awake = true;
    pthread_cond_signal(&o->rung);
    pthread_mutex_unlock(&o->lock);
}

static void read_letter(struct note *note)
{
    struct letter *l = container_of(note, struct letter, note);
    struct owner *o = l->owner;
    if (l->number != o->last[l->poster] + 1)
        o->out_of_order = true;
    o->last[l->poster] = l->number;
    o->ran++;
}

static void *post_all(void *arg)
{
    struct letter *letters = arg;
    for (int i = 0; i < NOTES_A_POSTER; i++)
        inbox_post(&letters[i].owner->box, &letters[i].note);
    return NULL;
}

static void owner_init(struct owner *o)
{
    *o = (struct owner){.awake = false};
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->rung, NULL);
    inbox_init(&o->box, wake, o);
}

static struct letter letters[POSTERS][NOTES_A_POSTER];

static void notes_of_many_posters_all_run_in_each_ones_order(void **state)
{
    static struct owner o;
    pthread_t threads[POSTERS];
    (void)state;
    owner_init(&o);
    for (int p = 0; p < POSTERS; p++) {
        for (int i = 0; i < NOTES_A_POSTER; i++)
            letters[p][i] = (struct letter){{NULL, read_letter}, &o, p, i + 1};
        assert_int_equal(pthread_create(&threads[p], NULL, post_all, letters[p]), 0);
    }
    while (o.ran < POSTERS * NOTES_A_POSTER) {
        pthread_mutex_lock(&o.lock);
        while (!o.awake)
            pthread_cond_wait(&o.rung, &o.lock);
        o.awake = false;
        pthread_mutex_unlock(&o.lock);
        inbox_run(&o.box);
    }
    for (int p = 0; p < POSTERS; p++)
        pthread_join(threads[p], NULL);
    assert_false(o.out_of_order);
    assert_true(inbox_is_empty(&o.box));
}

static void first_note_wakes_and_a_run_takes_all(void **state)
{
    static struct owner o;
    static struct letter one, two;
    (void)state;
    owner_init(&o);
    one = (struct letter){{NULL, read_letter}, &o, 0, 1};
    two = (struct letter){{NULL, read_letter}, &o, 0, 2};
    assert_false(inbox_run(&o.box));
    inbox_post(&o.box, &one.note);
    inbox_post(&o.box, &two.note);
    assert_true(o.awake);
    assert_true(inbox_run(&o.box));
    assert_int_equal(o.ran, 2);
    assert_false(o.out_of_order);
}

struct brief { /* an owner that ends with its only note */
    struct inbox box;
    atomic_uint posters;
    atomic_bool awake;
    struct letter letter;
    bool done;
};

static void wake_brief(void *arg)
{
    struct brief *b = arg;
    atomic_store(&b->awake, true);
}

static void read_brief(struct note *note)
{
    container_of(note, struct brief, letter.note)->done = true;
}

static void *post_brief(void *arg)
{
    struct brief *b = arg;
    inbox_post(&b->box, &b->letter.note);
    return NULL;
}

/* The poster may be anywhere in inbox_post() when its note has run. */
static void owner_that_waits_for_its_posters_may_be_freed(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++) {
        struct brief *b = calloc(1, sizeof(*b));
        assert_non_null(b);
        inbox_init(&b->box, wake_brief, b);
        inbox_count_posters(&b->box, &b->posters);
        b->letter.note.run = read_brief;
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, post_brief, b), 0);
        while (!b->done)
            inbox_run(&b->box);
        while (atomic_load_explicit(&b->posters, memory_order_acquire) > 0)
            sched_yield();
        free(b);
        pthread_join(thread, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_of_many_posters_all_run_in_each_ones_order),
        cmocka_unit_test(first_note_wakes_and_a_run_takes_all),
        cmocka_unit_test(owner_that_waits_for_its_posters_may_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
