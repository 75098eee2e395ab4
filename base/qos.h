/* SPDX-License-Identifier: Apache-2.0 */
/* How much I/O a volume or a host may have: an admin's limits. Plain values; the catalog
 * keeps them, lunmgr/throttle.h applies them. Any thread. */
#ifndef BASE_QOS_H
#define BASE_QOS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum qos_member {
    QOS_IOPS,        /* commands a second; 0, here and below: unlimited */
    QOS_BYTES,       /* bytes a second */
    QOS_BURST_IOPS,  /* commands a second in a burst: more than QOS_IOPS; 0: no burst */
    QOS_BURST_BYTES, /* the same of QOS_BYTES */
    QOS_BURST_S,     /* seconds that a burst may last after a rest; 0: there is none */
    QOS_MEMBERS,
};

struct qos {
    uint64_t of[QOS_MEMBERS];
};

/* What a value other than 0 may be, and the API's name for it. */
struct qos_rule {
    const char *name;
    uint64_t low, high;
    bool is_bytes;
};
extern const struct qos_rule qos_rules[QOS_MEMBERS];

#define QOS_BURST_PRESET_S 10 /* where a burst is set and no time is */

/* What is not named stays, but for a burst whose limit goes. */
struct qos_change {
    unsigned named; /* bits 1 << member */
    struct qos to;
};

bool qos_is_limited(const struct qos *q);
bool qos_equals(const struct qos *a, const struct qos *b);
/* NULL: nothing changes. 0, or -EINVAL with the field "qos/MEMBER" and *q untouched: a
 * value out of its rule, a burst without its limit or not above it, a time without a
 * burst. */
int qos_apply(struct qos *q, const struct qos_change *change, struct err *e) MUST_CHECK;

#endif
