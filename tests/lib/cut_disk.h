/* SPDX-License-Identifier: Apache-2.0 */
/* A disk with a volatile write cache over a file, for tests of what a power cut leaves: a
 * write is in the file only when a later SYNC has been answered; until then each part of
 * it that the disk writes atomically (4 KiB, or 512 bytes) may survive a cut or be lost
 * on its own; a PUNCH leaves zeros or what was there, block by block. Each lane has an
 * engine for all disks; they answer in an order drawn from the mains' chance. What goes
 * to the file around the engines (superblocks) is not lost, unless the program has
 * cut_calls.c. The disks' calls: any thread. */
#ifndef TESTS_LIB_CUT_DISK_H
#define TESTS_LIB_CUT_DISK_H

#include "lunmgr/engine.h"
#include "tests/lib/power.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cut_disk;

/* disk_bytes: as long as the file at path will ever be; I/Os name it by their fd. */
struct cut_disk *cut_disk_create(struct power *power, const char *path,
                                 uint64_t disk_bytes);
/* What it writes atomically: 4096, or 512. */
void cut_disk_set_atom(struct cut_disk *disk, unsigned atom_bytes);
/* A turn of an engine's loop answers some of what waits, or none: for loops that are
 * turned by hand, so that I/O stays in flight over many turns. */
void cut_disk_set_lazy(struct cut_disk *disk);
/* The nth SYNC from now on, from 1, fails with -EIO and what it covered is dropped: each
 * part is in the file or lost, later syncs know nothing of it. 0: none. */
void cut_disk_fail_sync(struct cut_disk *disk, uint64_t nth);
/* For loops that are turned by hand. The writes that all disks on these mains are asked
 * for from now on wait; after _keep, which tells how many do, those go on waiting alone;
 * after _release none does. What needs them durable waits for them. */
void cut_disks_hold(struct power *power);
unsigned cut_disks_keep(struct power *power);
void cut_disks_release(struct power *power);
/* All its engines are gone, with the program that wrote. What was not synced is lost,
 * unless the mains have fallen: then cut_disk_restore says what is. */
void cut_disk_lose(struct cut_disk *disk);
/* The same for good. */
void cut_disk_destroy(struct cut_disk *disk);

/* An engine on loop for the disks on these mains; engine_destroy takes it. */
int cut_disk_engine(struct power *power, struct loop *loop, struct engine **out,
                    struct err *e) MUST_CHECK;

/* The disk whose file it is; NULL: none's. */
struct cut_disk *cut_disk_find(int fd);
/* pwrite, pread, fdatasync, and what goes before an ftruncate: whole blocks. */
void cut_disk_write(struct cut_disk *disk, const void *data, size_t bytes, uint64_t at);
ssize_t cut_disk_read(struct cut_disk *disk, int fd, void *data, size_t bytes, off_t at);
int cut_disk_sync(struct cut_disk *disk, int fd) MUST_CHECK;
void cut_disk_resizes(struct cut_disk *disk, int fd);

/* Gives the file at path, a copy of the disk's file as it is now, what a power cut at
 * this moment could leave: of each block's versions since the last sync, those in flight
 * too, any one or none. copy() makes the file meanwhile. */
void cut_disk_cut(struct cut_disk *disk, const char *path, void (*copy)(void *arg),
                  void *arg);
/* After the mains have fallen and every engine is gone: the file holds what was left at
 * that moment. */
void cut_disk_restore(struct cut_disk *disk);

#endif
