/* SPDX-License-Identifier: Apache-2.0 */
/* A file system for SQLite whose files lose at a power cut what they have not synced:
 * since a file's last xSync each 512-byte sector may keep any version that a write gave
 * it, and the file any length that it had. The files themselves lie in the real file
 * system; what is durable is kept in memory beside them. Databases and their logs and
 * journals are covered; a deletion is durable at once; the shared memory does not outlive
 * a cut. Becomes SQLite's default once installed. */
#ifndef TESTS_LIB_CUT_VFS_H
#define TESTS_LIB_CUT_VFS_H

#include "tests/lib/power.h"

/* Once, before any database is open. */
void cut_vfs_install(void);
/* From now on files hang on these mains. Nothing is open. */
void cut_vfs_attach(struct power *power);
/* Nothing is open. */
void cut_vfs_detach(void);
/* After the mains have fallen, with nothing open: the files hold what was left. */
void cut_vfs_restore(void);

#endif
