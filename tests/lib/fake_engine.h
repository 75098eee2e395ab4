/* SPDX-License-Identifier: Apache-2.0 */
/* A disk engine for tests, deterministic: it fails the Nth I/O, holds answers back and
 * answers out of order. It works on a disk in memory, or on the I/Os' own descriptors.
 * On its loop's thread alone. */
#ifndef TESTS_LIB_FAKE_ENGINE_H
#define TESTS_LIB_FAKE_ENGINE_H

#include "lunmgr/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_engine;

/* One bit an operation, for fake_engine_fail and fake_engine_count. */
#define FAKE_READ  (1U << ENGINE_READ)
#define FAKE_WRITE (1U << ENGINE_WRITE)
#define FAKE_SYNC  (1U << ENGINE_SYNC)
#define FAKE_PUNCH (1U << ENGINE_PUNCH)
#define FAKE_ALL   (FAKE_READ | FAKE_WRITE | FAKE_SYNC | FAKE_PUNCH)

/* disk_bytes: of a disk of zeros in memory, whatever the I/Os' fd; 0: the I/Os go to
 * their fd. NULL: out of memory. */
struct fake_engine *fake_engine_create(struct loop *loop, size_t disk_bytes);
/* What engine_destroy() takes; it destroys the fake too. */
struct engine *fake_engine_engine(struct fake_engine *fake);
/* The disk in memory. */
uint8_t *fake_engine_disk(struct fake_engine *fake);

/* Of those that match, the nth (from 1) to be answered from now on fails with rc; a write
 * that fails has written the first half of its blocks. sticky: all after it fail too.
 * nth 0: none fails. */
void fake_engine_fail(struct fake_engine *fake, unsigned ops, unsigned nth, int rc,
                      bool sticky);
/* Whether a failure armed since has struck. */
bool fake_engine_failed(const struct fake_engine *fake);

/* I/Os are neither done nor answered until let go. */
void fake_engine_hold(struct fake_engine *fake, unsigned ops);
/* How many wait now. */
unsigned fake_engine_waiting(const struct fake_engine *fake, unsigned ops);
/* Lets the index-th (from 0, oldest first) of those that match go in the next turn.
 * False: there are not so many. */
bool fake_engine_let_go(struct fake_engine *fake, unsigned ops, unsigned index);

/* Each turn does and answers some of what waits, in an order drawn from seed; 0: all, in
 * order. */
void fake_engine_shuffle(struct fake_engine *fake, uint64_t seed);

/* Those submitted so far that an engine may do on the loop's thread. */
uint64_t fake_engine_in_memory(const struct fake_engine *fake);
/* I/Os answered so far. */
uint64_t fake_engine_count(const struct fake_engine *fake, unsigned ops);

#endif
