/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses at which initiators find the target, for those who attach a disk: a
 * portal on all addresses (0.0.0.0, [::]) is told as the addresses that this machine has.
 * Control thread. */
#ifndef WEB_PORTALS_H
#define WEB_PORTALS_H

#include "target/target.h"
#include "web/limits.h"

struct portals {
    size_t count; /* 0 only if the target has no portal */
    char address[WEB_PORTAL_COUNT_MAX][TARGET_ADDRESS_MAX];
};

void portals_list(const struct target *target, struct portals *out);

#endif
