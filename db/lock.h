/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.lock in the state directory: keeps a second daemon or tool out of the catalog.
 * It is flock()ed, so it ends with its process however that ends, and holds the owner's
 * pid for the one who is refused. Blocking file calls; start and stop alone. */
#ifndef DB_LOCK_H
#define DB_LOCK_H

#include "base/err.h"

/* The file descriptor that holds the lock until it is closed, or: -ENOENT: no such
 * directory. -EBUSY: someone has it, by pid if known. Others as open() says. */
int lock_take(const char *dir, struct err *e) MUST_CHECK;

#endif
