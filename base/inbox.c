/* SPDX-License-Identifier: Apache-2.0 */
/* Many posters push onto a stack; the owner takes all of it and turns it round. */
#include "base/inbox.h"

void inbox_init(struct inbox *box, void (*wake)(void *arg), void *wake_arg)
{
    atomic_init(&box->head, NULL);
    box->wake = wake;
    box->wake_arg = wake_arg;
    box->posters = NULL;
}

void inbox_count_posters(struct inbox *box, atomic_uint *posters)
{
    atomic_init(posters, 0);
    box->posters = posters;
}

void inbox_post(struct inbox *box, struct note *note)
{
    /* Read before the push: once pushed, the owner may run the last note it waits for and
     * free the box with it. */
    void (*wake)(void *arg) = box->wake;
    void *wake_arg = box->wake_arg;
    atomic_uint *posters = box->posters;
    if (posters != NULL)
        atomic_fetch_add_explicit(posters, 1, memory_order_relaxed);
    struct note *head = atomic_load_explicit(&box->head, memory_order_relaxed);
    do {
        note->next = head;
    } while (!atomic_compare_exchange_weak_explicit(
        &box->head, &head, note, memory_order_seq_cst, memory_order_relaxed));
    if (head == NULL)
        wake(wake_arg);
    if (posters != NULL)
        atomic_fetch_sub_explicit(posters, 1, memory_order_release);
}

bool inbox_run(struct inbox *box)
{
    struct note *newest =
        atomic_exchange_explicit(&box->head, NULL, memory_order_seq_cst);
    struct note *oldest = NULL;
    while (newest != NULL) {
        struct note *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    bool any = oldest != NULL;
    while (oldest != NULL) {
        struct note *note = oldest;
        oldest = note->next;
        note->run(note);
    }
    return any;
}

bool inbox_is_empty(struct inbox *box)
{
    return atomic_load_explicit(&box->head, memory_order_seq_cst) == NULL;
}
