/* SPDX-License-Identifier: Apache-2.0 */
/* One mutex, counters, a plan. */
#include "tests/lib/power.h"

#include "tests/lib/random.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct power {
    pthread_mutex_t lock;
    uint64_t random;
    struct power_user *users;
    uint64_t counts[POWER_POINTS];
    enum power_point point; /* of the plan */
    uint64_t left;          /* points until the cut; 0: none is planned */
    bool fallen;
    void (*fell)(void *arg);
    void *arg;
};

struct power *power_create(uint64_t seed)
{
    assert(seed != 0);
    struct power *power = calloc(1, sizeof(*power));
    assert(power != NULL);
    pthread_mutex_init(&power->lock, NULL);
    power->random = seed;
    return power;
}

void power_destroy(struct power *power)
{
    if (power == NULL)
        return;
    assert(power->users == NULL);
    pthread_mutex_destroy(&power->lock);
    free(power);
}

void power_attach(struct power *power, struct power_user *user)
{
    power_lock(power);
    user->next = power->users;
    power->users = user;
    power_unlock(power);
}

void power_detach(struct power *power, struct power_user *user)
{
    power_lock(power);
    struct power_user **link = &power->users;
    while (*link != user)
        link = &(*link)->next;
    *link = user->next;
    power_unlock(power);
}

void power_lock(struct power *power)
{
    pthread_mutex_lock(&power->lock);
}

void power_unlock(struct power *power)
{
    pthread_mutex_unlock(&power->lock);
}

uint64_t power_draw(struct power *power, uint64_t below)
{
    return random_next(&power->random) % below;
}

static void power_fall(struct power *power)
{
    if (power->fallen)
        return;
    power->fallen = true;
    power->left = 0;
    for (struct power_user *user = power->users; user != NULL; user = user->next)
        user->cut(user);
    if (power->fell != NULL)
        power->fell(power->arg);
}

void power_pass(struct power *power, enum power_point point)
{
    power->counts[point]++;
    if (power->left > 0 && point == power->point && --power->left == 0)
        power_fall(power);
}

bool power_has_fallen(const struct power *power)
{
    return power->fallen;
}

void power_plan(struct power *power, enum power_point point, uint64_t nth)
{
    power_lock(power);
    power->point = point;
    power->left = nth;
    power_unlock(power);
}

void power_on_fall(struct power *power, void (*fell)(void *arg), void *arg)
{
    power_lock(power);
    power->fell = fell;
    power->arg = arg;
    power_unlock(power);
}

void power_cut(struct power *power)
{
    power_lock(power);
    power_fall(power);
    power_unlock(power);
}

bool power_is_off(struct power *power)
{
    power_lock(power);
    bool off = power->fallen;
    power_unlock(power);
    return off;
}

void power_restore(struct power *power)
{
    power_lock(power);
    power->fallen = false;
    power_unlock(power);
}

uint64_t power_count(struct power *power, enum power_point point)
{
    power_lock(power);
    uint64_t n = power->counts[point];
    power_unlock(power);
    return n;
}
