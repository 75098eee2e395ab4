/* SPDX-License-Identifier: Apache-2.0 */
/* What SQLite refused, as an errno, a field and one line. Pure but for the connection's
 * last error, which it reads; the connection's thread. */
#ifndef DB_SQLERR_H
#define DB_SQLERR_H

#include "base/err.h"

#include <sqlite3.h>

/* Fills e with the connection's last error. -EEXIST: something unique is taken, the field
 * says what. -EINVAL: out of range, the field says what. -ENOENT: it refers to a row that
 * is not there (a deletion: see stmt_remove). -ENOSPC, -EIO, -EUCLEAN, -EBUSY, -EROFS,
 * -ENOMEM as they read; what the operating system said is in the text. */
int sqlerr_set(sqlite3 *db, struct err *e);
/* Logs what nobody is answered with. */
void log_failure(const char *what, const struct err *e);

#endif
