/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded heap of places (see pick.h). */
#include "web/pick.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int pick_init(struct pick *p, size_t most)
{
    assert(most > 0);
    *p = (struct pick){.most = most, .places = calloc(most, sizeof(struct place *))};
    return p->places == NULL ? -ENOMEM : 0;
}

void pick_fini(struct pick *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->places[i]);
    free(TAKE(p->places));
}

static struct place *place_copy(const struct place *place)
{
    size_t bytes = offsetof(struct place, at) + place->bytes;
    struct place *copy = malloc(bytes);
    if (copy != NULL)
        memcpy(copy, place, bytes);
    return copy;
}

/* Puts place into the hole at i, which those above it that come before it fill first. */
static void sift_up(struct pick *p, size_t i, struct place *place)
{
    for (; i > 0; i = (i - 1) / 2) {
        struct place *parent = p->places[(i - 1) / 2];
        if (place_compare(parent, place) >= 0)
            break;
        p->places[i] = parent;
    }
    p->places[i] = place;
}

/* The same with those below it that come after it. */
static void sift_down(struct pick *p, struct place *place)
{
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < p->count; i = child) {
        if (child + 1 < p->count &&
            place_compare(p->places[child + 1], p->places[child]) > 0)
            child++;
        if (place_compare(p->places[child], place) <= 0)
            break;
        p->places[i] = p->places[child];
    }
    p->places[i] = place;
}

int pick_add(struct pick *p, const struct place *place)
{
    bool full = p->count == p->most;
    p->more |= full;
    if (full && place_compare(place, p->places[0]) >= 0)
        return 0;
    struct place *copy = place_copy(place);
    if (copy == NULL)
        return -ENOMEM;
    if (full) {
        free(p->places[0]);
        sift_down(p, copy);
    } else {
        p->count++;
        sift_up(p, p->count - 1, copy);
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    return place_compare(*(struct place *const *)a, *(struct place *const *)b);
}

void pick_sort(struct pick *p)
{
    qsort(p->places, p->count, sizeof(struct place *), compare);
}
