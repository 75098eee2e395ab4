/* SPDX-License-Identifier: Apache-2.0 */
/* Clearing what a shrink cut off: once no write that began before it is under way, the
 * blocks from the volume's end to its wipe_bytes are zeroed, a round makes that durable,
 * and the row says so. Control thread. */
#ifndef LUNMGR_WIPE_H
#define LUNMGR_WIPE_H

#include "lunmgr/volume.h"

/* The volume is being changed until done(). */
void wipe_start(struct volume *volume, done_fn done, void *arg);
/* What is not cleared stays noted in the row. */
void wipe_log_failure(const struct volume *volume, const struct err *e);
/* At start: what an earlier shrink left is cleared in the background. */
void wipe_resume(struct volume *volume);

#endif
