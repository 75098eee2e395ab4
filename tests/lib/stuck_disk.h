/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that stops answering: engines in front of the threads' engine, which take what
 * comes and keep it while the disk is stuck. What was given up meanwhile is done all the
 * same when the disk goes on, as a kernel would. Any thread may stop it and let it go
 * on; engines belong to their loops. */
#ifndef TESTS_LIB_STUCK_DISK_H
#define TESTS_LIB_STUCK_DISK_H

#include "lunmgr/engine.h"

#include <stdbool.h>

struct stuck_disk;

struct stuck_disk *stuck_disk_create(void);
/* Its engines are gone. NULL is allowed. */
void stuck_disk_destroy(struct stuck_disk *disk);
/* arg: the disk. In the form of lunmgr_options.make_engine. */
int stuck_disk_engine(void *arg, struct loop *loop, struct engine **out,
                      struct err *e) MUST_CHECK;
void stuck_disk_stop(struct stuck_disk *disk);
/* All that was kept is done and answered. */
void stuck_disk_go_on(struct stuck_disk *disk);
/* I/Os kept now. */
unsigned stuck_disk_count(struct stuck_disk *disk);

#endif
