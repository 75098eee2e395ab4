/* SPDX-License-Identifier: Apache-2.0 */
/* The file system for SQLite that db/mirror.c goes through: SQLite's default one, but
 * what changes a database or its log is told to an observer after it has been done. */
#ifndef DB_MIRROR_VFS_H
#define DB_MIRROR_VFS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

enum mirror_file { MIRROR_DATABASE, MIRROR_LOG, MIRROR_FILES };

/* On the thread of the connection; nothing is told of what failed. */
struct mirror_observer {
    void *arg;
    void (*opened)(void *arg, enum mirror_file which, sqlite3_file *file);
    void (*closing)(void *arg, enum mirror_file which);
    void (*written)(void *arg, enum mirror_file which, const void *data, int bytes,
                    sqlite3_int64 at);
    void (*truncated)(void *arg, enum mirror_file which, sqlite3_int64 bytes);
    void (*synced)(void *arg, enum mirror_file which, int flags);
};

struct mirror_vfs {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    char name[40];
    const struct mirror_observer *observer;
};

/* Registers it under vfs->name; 0, or a result code of SQLite. */
int mirror_vfs_register(struct mirror_vfs *vfs, const struct mirror_observer *observer);
void mirror_vfs_unregister(struct mirror_vfs *vfs);

#endif
