/* SPDX-License-Identifier: Apache-2.0 */
/* What file systems for SQLite share that stand in front of the real one and take some
 * of its calls themselves (fault_vfs.h, cut_vfs.h): everything else is passed on. They
 * may stand in front of one another. */
#ifndef TESTS_LIB_PASS_VFS_H
#define TESTS_LIB_PASS_VFS_H

#include <sqlite3.h>
#include <stddef.h>

/* A layer's file begins with it. */
struct pass_file {
    sqlite3_file base;
    sqlite3_file *real; /* lies behind the layer's */
};

/* Every method passes its call on: a layer copies them and puts its own in. */
extern const sqlite3_io_methods pass_methods;

/* The file behind this one. */
sqlite3_file *pass_real(sqlite3_file *file);

/* Makes vfs, which outlives the program's databases, SQLite's default, in front of the
 * one that was; returns that one. Its zName, its szOsFile (of the layer's own file) and
 * its xOpen are the layer's, its xDelete too if it has one. */
sqlite3_vfs *pass_install(sqlite3_vfs *vfs);

/* For xOpen: opens `name` behind the layer's file, whose own part is file_bytes long;
 * SQLite's result. */
int pass_open(sqlite3_vfs *real, const char *name, sqlite3_file *file, size_t file_bytes,
              const sqlite3_io_methods *methods, int flags, int *flags_out);

#endif
