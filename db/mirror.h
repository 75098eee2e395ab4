/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog's mirror: a second database with its log in another directory, on another
 * disk. The writer's connection goes through a file system of its own for SQLite, which
 * does to the copy, after the file itself, whatever is done to the file: so each of the
 * two is at any moment what a catalog alone would be, and a commit has returned only
 * when both have it on the disk.
 *
 * A copy that fails is left behind: commits go on without it, and before the next one
 * is answered the writer raises the generation of the devices (db/raise.h), so that what
 * was left behind is an older catalog to them. It is made anew after a while, a piece at
 * a time between jobs.
 *
 * All calls but mirror_describe by the thread that has the writer's connection. */
#ifndef DB_MIRROR_H
#define DB_MIRROR_H

#include "db/catalog.h"

#include <sqlite3.h>

struct mirror;

/* Of the database at path, in dir. Registers the file system. -EBUSY: another process has
 * dir. -EINVAL: it is the database's own directory. Where dir cannot be used now the
 * mirror is there and has failed. retry_ms: how long it stays so. */
int mirror_create(const char *path, const char *dir, unsigned retry_ms,
                  struct mirror **out, struct err *e) MUST_CHECK;
/* The connection is closed. NULL is allowed. */
void mirror_destroy(struct mirror *m);
/* For sqlite3_open_v2; NULL without a mirror. */
const char *mirror_vfs(const struct mirror *m);
/* changed(arg) is called at each change of state, on the connection's thread, and asks
 * for nothing here. Any thread; once it returns the one before is not called any more. */
void mirror_watch(struct mirror *m, void (*changed)(void *arg), void *arg);

/* Before the database is made: -ENOENT if it is not there but its copy is. */
int mirror_refuse_lost(struct mirror *m, struct err *e) MUST_CHECK;
/* The database is open and made. Takes the copy that is there if it is the same, else
 * begins another one. box: the database's. Does nothing unless the mirror has failed or
 * not begun. -ESTALE: the copy is of a later start than the database; -EUCLEAN: of
 * another box. Both are left as they are. Other failures are the mirror's state. */
int mirror_begin(struct mirror *m, const struct box_row *box, struct err *e) MUST_CHECK;
/* Copies a piece, if there is one to copy. */
void mirror_step(struct mirror *m);
bool mirror_is_copying(const struct mirror *m);
/* Until there is something to do for it: a piece (0), another beginning; -1: nothing. */
int mirror_wait_ms(const struct mirror *m);
/* The copy was current and has been left behind: nothing may be answered until it is
 * shut out (then mirror_forgive). */
bool mirror_owes(const struct mirror *m);
void mirror_forgive(struct mirror *m);
void mirror_owe(struct mirror *m);

/* Any thread. m NULL: off. */
void mirror_describe(struct mirror *m, struct catalog_mirror_info *out);

#endif
