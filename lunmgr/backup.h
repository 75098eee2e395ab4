/* SPDX-License-Identifier: Apache-2.0 */
/* Backups of the catalog. Control thread. */
#ifndef LUNMGR_BACKUP_H
#define LUNMGR_BACKUP_H

#include "lunmgr/volume.h"

struct lunmgr;

#define CATALOG_BACKUP_PATH_MAX 1023 /* bytes */

/* Copies the whole catalog, as it is at a moment during the call, into a new file that
 * its owner alone can read, and raises the generation of the devices after: so whoever
 * puts the backup in the catalog's place is told that it is older than they are. -EEXIST:
 * the file is there. -EINVAL, field path: not absolute. What the system says of the path
 * has the field too. done: on the control thread, never inside the call. */
void lunmgr_backup(struct lunmgr *m, const char *path, done_fn done, void *arg);

#endif
