/* SPDX-License-Identifier: Apache-2.0 */
/* A file system for SQLite that counts writes, syncs and truncations and can fail them:
 * the real one, with a switch in front. Becomes SQLite's default once installed. */
#ifndef TESTS_UNIT_DB_FAULT_VFS_H
#define TESTS_UNIT_DB_FAULT_VFS_H

enum fault_kind { FAULT_WRITE = 1, FAULT_SYNC = 2, FAULT_TRUNCATE = 4 };

/* Before any database is open. */
void fault_vfs_install(void);
/* From now on: let `after` operations of these kinds through, then fail `times` of them
 * with SQLite's `result`. Any thread, as are the others. */
void fault_vfs_arm(int kinds, int after, int times, int result);
/* Only of files whose path has `part` in it, a literal. */
void fault_vfs_arm_path(const char *part, int kinds, int after, int times, int result);
void fault_vfs_disarm(void);
/* Did an operation fail since the last arm? */
int fault_vfs_failed(void);
/* Operations of one kind since the program began. */
int fault_vfs_count(enum fault_kind kind);

#endif
