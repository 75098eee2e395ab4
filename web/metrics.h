/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that write metrics share. */
#ifndef WEB_METRICS_H
#define WEB_METRICS_H

#include <stdio.h>

/* The two lines before a metric's values; type: "counter", "gauge" or "histogram". */
void metric_head(FILE *out, const char *name, const char *type, const char *help);

#endif
