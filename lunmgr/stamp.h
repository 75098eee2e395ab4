/* SPDX-License-Identifier: Apache-2.0 */
/* The devices whose superblocks follow the catalog's generation (db/catalog.h,
 * catalog_raise): those that are in use. */
#ifndef LUNMGR_STAMP_H
#define LUNMGR_STAMP_H

#include <pthread.h>

struct device;
struct lunmgr;

struct stamps {
    pthread_mutex_t lock;
    struct device *first; /* a reference to each */
};

void stamps_init(struct lunmgr *m);
/* From now on the catalog's hooks lead here; while no job of it is under way. */
void stamps_serve(struct lunmgr *m);
/* Each device has been removed, and the catalog has no hooks any more. */
void stamps_fini(struct lunmgr *m);
/* Any thread. The device carries its superblock and is in its pool. */
void stamps_add(struct lunmgr *m, struct device *d);
/* From now on its superblock is not written any more; also if it was not added. Its row
 * is gone, or no catalog job is under way. */
void stamps_remove(struct lunmgr *m, struct device *d);

#endif
