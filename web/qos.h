/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of I/O (base/qos.h) in requests and answers: the members qos and throttled of
 * volumes and hosts. Control thread. */
#ifndef WEB_QOS_H
#define WEB_QOS_H

#include "base/qos.h"
#include "target/target.h"
#include "web/json_in.h"
#include "web/resource.h"

/* Reads the member qos; what it does not name stays. NULL if it is absent or refused. */
const struct qos_change *qos_read(struct input *in, struct qos_change *room);
/* NULL: out of memory. */
json_t *qos_json(const struct qos *qos);
json_t *throttled_json(const struct target_throttled *throttled);
/* Whether said, as qos_read() takes it, is so already. */
enum agreement qos_agrees(const struct qos *qos, const json_t *said);

#endif
