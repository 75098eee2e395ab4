/* SPDX-License-Identifier: Apache-2.0 */
/* The mains that a test's disk and catalog files hang on: one lock, so that a power cut
 * is one moment for all of them, and one source of chance. What hangs on it names the
 * points that it passes (before and after a sync, at a write); a cut can be planned for
 * the n-th of them. From the cut until power_restore() everything goes on as if nothing
 * had happened, so that a program can stop in order, but nothing of it is kept. Any
 * thread. */
#ifndef TESTS_LIB_POWER_H
#define TESTS_LIB_POWER_H

#include <stdbool.h>
#include <stdint.h>

struct power;

enum power_point {
    POWER_DISK_WRITE,
    POWER_DISK_SYNC, /* asked for: nothing of it has happened */
    POWER_DISK_SYNCED,
    POWER_SUPER_WRITE, /* of a disk's superblock, or of its file's length */
    POWER_SUPER_SYNC,
    POWER_SUPER_SYNCED,
    POWER_FILE_WRITE,
    POWER_FILE_SYNC,
    POWER_FILE_SYNCED,
    POWER_POINTS,
};

/* What hangs on it. */
struct power_user {
    struct power_user *next;
    void (*cut)(struct power_user *user); /* under the lock: choose what is left */
};

/* seed: not 0. */
struct power *power_create(uint64_t seed);
void power_destroy(struct power *power);
void power_attach(struct power *power, struct power_user *user);
void power_detach(struct power *power, struct power_user *user);

void power_lock(struct power *power);
void power_unlock(struct power *power);

/* Under the lock: */
uint64_t power_draw(struct power *power, uint64_t below);
/* The caller passes the point; the cut planned for it happens here. */
void power_pass(struct power *power, enum power_point point);
bool power_has_fallen(const struct power *power);

/* Cuts at the n-th such point from now on, from 1; 0: not. fell(arg) is called at the
 * moment of any cut, under the lock. */
void power_plan(struct power *power, enum power_point point, uint64_t nth);
void power_on_fall(struct power *power, void (*fell)(void *arg), void *arg);
/* Now, if it has not fallen. */
void power_cut(struct power *power);
bool power_is_off(struct power *power);
/* Everything that hangs on it has taken up what was left. */
void power_restore(struct power *power);
/* Points passed since it was made. */
uint64_t power_count(struct power *power, enum power_point point);

#endif
