/* SPDX-License-Identifier: Apache-2.0 */
/* Events published by a test. */
#ifndef TESTS_UNIT_WEB_EVENTS_RIG_H
#define TESTS_UNIT_WEB_EVENTS_RIG_H

#include "rig.h"

/* One, "<kind>.changed", of a subject with that name. */
void publish(struct rig *r, const char *kind, const char *name);
/* volume.changed, with the numbers from `from` to before `to` as names, so that a reader
 * can tell what is missing. */
void publish_many(struct rig *r, unsigned from, unsigned to);

#endif
