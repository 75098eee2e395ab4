/* SPDX-License-Identifier: Apache-2.0 */
/* See log_keep.h. */
#include "tests/lib/log_keep.h"

#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static char kept[65536];

static void keep(enum log_level level, const char *line, void *arg)
{
    (void)level;
    (void)arg;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    size_t used = strlen(kept);
    snprintf(kept + used, sizeof(kept) - used, "%s\n", line);
    pthread_mutex_unlock(&lock);
}

void log_keep_begin(void)
{
    kept[0] = '\0';
    log_set_sink(keep, NULL);
}

void log_keep_end(void)
{
    log_set_sink(NULL, NULL);
}

const char *log_kept(void)
{
    return kept;
}
