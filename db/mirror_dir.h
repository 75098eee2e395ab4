/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a catalog's mirror (docs/FORMAT.md, "The mirror"): two slots, each
 * with room for one copy, and a mark that names the one which is current. Blocking file
 * calls. */
#ifndef DB_MIRROR_DIR_H
#define DB_MIRROR_DIR_H

#include "db/catalog.h"

#define MIRROR_SLOTS 2

/* The slot that the mark names. -ENOENT: there is none. -EUCLEAN: it is no mark of ours.
 */
int mirror_dir_current(const char *dir, unsigned *slot, struct err *e) MUST_CHECK;
/* The path of a slot's database. -ENAMETOOLONG. */
int mirror_dir_database(const char *dir, unsigned slot, char out[CATALOG_PATH_MAX],
                        struct err *e) MUST_CHECK;
/* Makes the slot if it is not there, and its database, empty and without a log. */
int mirror_dir_empty(const char *dir, unsigned slot, struct err *e) MUST_CHECK;
/* From now on, durably, the slot is the current one; the other one is emptied. What is in
 * the slot is synced, but for its directory. */
int mirror_dir_mark(const char *dir, unsigned slot, struct err *e) MUST_CHECK;
/* No slot is current any more, as far as the directory can still be written. */
void mirror_dir_unmark(const char *dir);

#endif
