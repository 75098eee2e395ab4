/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the target's figures: as JSON of one session, and as metrics of all. Pure;
 * control thread. */
#ifndef WEB_FIGURES_H
#define WEB_FIGURES_H

#include "target/target.h"

#include <jansson.h>
#include <stdio.h>

/* NULL: out of memory. */
json_t *figures_counters_json(const struct target_session_info *s);
json_t *figures_latency_json(const struct target_session_info *s);

/* In the Prometheus text format. */
void figures_put(FILE *out, const struct target_counters *c);

#endif
