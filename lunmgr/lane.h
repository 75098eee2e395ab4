/* SPDX-License-Identifier: Apache-2.0 */
/* A lane: what a thread needs to do volume I/O. Its disk engine, its buffers, its list of
 * I/Os in flight in order of their start. One for each reactor, one for the pools' own
 * loop. Used on its loop's thread alone. */
#ifndef LUNMGR_LANE_H
#define LUNMGR_LANE_H

#include "lunmgr/buf.h"
#include "lunmgr/engine.h"
#include "lunmgr/loop.h"

#define LANE_MAX 17 /* 16 reactors and the pools' loop */

struct lane;
struct lunmgr;

/* Before the loop runs. -ENOSPC: LANE_MAX of them exist. */
int lane_create(struct lunmgr *manager, struct loop *loop, enum engine_kind kind,
                struct lane **out, struct err *e) MUST_CHECK;
/* After the loop has stopped; no I/O in flight. NULL is allowed. */
void lane_destroy(struct lane *lane);

struct buf_pool *lane_buffers(struct lane *lane);
struct engine *lane_engine(struct lane *lane);
struct loop *lane_loop(struct lane *lane);

#endif
