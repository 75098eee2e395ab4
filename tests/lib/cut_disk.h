/* SPDX-License-Identifier: Apache-2.0 */
/* A disk with a volatile write cache over a file, for tests of what a power cut leaves: a
 * write is in the file only when a later SYNC has been answered; until then each 4 KiB
 * block of it may survive a cut or be lost on its own. Several engines (one a lane) share
 * one disk and answer in an order drawn from a seed. The disk's calls: any thread. */
#ifndef TESTS_LIB_CUT_DISK_H
#define TESTS_LIB_CUT_DISK_H

#include "lunmgr/engine.h"

#include <stdbool.h>
#include <stdint.h>

struct cut_disk;

/* disk_bytes: of the file that the engines' I/Os name by their fd. seed: not 0. */
struct cut_disk *cut_disk_create(uint64_t disk_bytes, uint64_t seed);
/* All its engines are gone. What was not synced is lost. */
void cut_disk_destroy(struct cut_disk *disk);

/* An engine on loop; engine_destroy takes it. */
int cut_disk_engine(struct cut_disk *disk, struct loop *loop, struct engine **out,
                    struct err *e) MUST_CHECK;

/* Gives the file at path, a copy of the disk's file as it is now, what a power cut at
 * this moment could leave: of each block's versions since the last sync, those in flight
 * too, any one or none. copy() makes the file meanwhile. */
void cut_disk_cut(struct cut_disk *disk, const char *path, void (*copy)(void *arg),
                  void *arg);
/* SYNCs answered so far. */
uint64_t cut_disk_syncs(struct cut_disk *disk);

#endif
