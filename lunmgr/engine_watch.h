/* SPDX-License-Identifier: Apache-2.0 */
/* A watch over an engine: an engine itself, in front of the one that does the I/O. It
 * bounds the time of each: an I/O that the kernel does not answer in time fails its
 * device, and what is under way on a failed device is answered with an error, what comes
 * for it refused. The kernel may still have such an I/O: the watch keeps the memory that
 * it was given until it answers, though its owner puts it back. Whatever a late write
 * does to its device nobody sees: it is not read again before the next start, which waits
 * for the kernel (device.h). The loop's thread alone. */
#ifndef LUNMGR_ENGINE_WATCH_H
#define LUNMGR_ENGINE_WATCH_H

#include "lunmgr/buf.h"
#include "lunmgr/engine.h"

/* On the loop's thread or before it runs. inner becomes the watch's, also where it fails.
 * buffers: where the I/Os' memory comes from; outlives the watch. timeout_ms: an I/O is
 * given up after that and at most half as much again; 0: none is. I/O without a device is
 * not watched. */
int engine_watch_create(struct engine *inner, struct loop *loop, struct buf_pool *buffers,
                        unsigned timeout_ms, struct engine **out,
                        struct err *e) MUST_CHECK;

#endif
