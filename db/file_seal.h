/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a file that leaves the box: 8 bytes that say what it is, and the SHA-256 of
 * all before them. SQLite does not look behind its last page. Blocking; errors have field
 * path. */
#ifndef DB_FILE_SEAL_H
#define DB_FILE_SEAL_H

#include "base/err.h"

#define FILE_SEAL_MARK "ASHLARPF"

/* Not synced. */
int file_seal(const char *path, struct err *e) MUST_CHECK;
/* -EUCLEAN: it has none, or is not what was sealed. */
int file_check_seal(const char *path, struct err *e) MUST_CHECK;

#endif
