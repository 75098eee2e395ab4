/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps what the daemon's parts log, for a test to look into. */
#ifndef TESTS_LIB_LOG_KEEP_H
#define TESTS_LIB_LOG_KEEP_H

/* From now on lines of all threads are kept, and what was kept before is forgotten. */
void log_keep_begin(void);
/* They go where they went at first. What was kept stays. */
void log_keep_end(void);
/* What was kept, a line each; after log_keep_end, or where nothing else logs. */
const char *log_kept(void);

#endif
