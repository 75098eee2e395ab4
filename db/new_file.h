/* SPDX-License-Identifier: Apache-2.0 */
/* A database file that is made for somebody else: a backup, a pool's file. Blocking; a db
 * thread. Errors have field path. */
#ifndef DB_NEW_FILE_H
#define DB_NEW_FILE_H

#include "base/err.h"

/* Empty, mode 0600. -EEXIST: it is there. */
int new_file_create(const char *path, struct err *e) MUST_CHECK;
/* It and its name are on the disk. */
int new_file_sync(const char *path, struct err *e) MUST_CHECK;

#endif
