/* SPDX-License-Identifier: Apache-2.0 */
/* The rig's management of devices, snapshots, clones, rollbacks, changes and the trash,
 * waited for: 0 or the error's code. e and out may be NULL. */
#ifndef TESTS_LIB_RIG_MANAGE_H
#define TESTS_LIB_RIG_MANAGE_H

#include "lunmgr/snapshot.h"
#include "tests/lib/pool_rig.h"

int rig_pool(struct pool_rig *r, const struct pool_spec *spec, struct pool **out,
             struct err *e);
/* Of pool "p". */
int rig_pool_change(struct pool_rig *r, const struct pool_change *change, struct err *e);
#define RIG_PATH_MAX 320
#define RIG_FILES    2
/* r->pool becomes a pool "p" of RIG_FILES files of so many bytes, DIR/device1 and so on,
 * whose paths it notes. */
void rig_pool_of_files(struct pool_rig *r, char (*paths)[RIG_PATH_MAX], uint64_t bytes);
/* Of pool "p"; key: see pool_device_find. */
int rig_device_add(struct pool_rig *r, const struct pool_device_spec *spec,
                   struct err *e);
int rig_device_grow(struct pool_rig *r, const char *key, uint64_t bytes, struct err *e);
/* out: not NULL. */
int rig_device_evacuate(struct pool_rig *r, const char *key, struct job **out,
                        struct err *e);
int rig_device_remove(struct pool_rig *r, const char *key, struct err *e);
struct volume_copy_spec;
/* out: not NULL. */
int rig_volume_copy(struct pool_rig *r, const char *volume,
                    const struct volume_copy_spec *spec, struct job **out, struct err *e);
int rig_job_cancel(struct pool_rig *r, const char *id, struct err *e);
int rig_snapshot(struct pool_rig *r, const char *volume, const char *name,
                 struct volume **out, struct err *e);
/* One instant; out has room for `count`. */
int rig_snapshot_all(struct pool_rig *r, const char *const *volumes, size_t count,
                     const char *name, struct volume **out, struct err *e);
int rig_snapshot_delete(struct pool_rig *r, const char *key, struct err *e);
int rig_make(struct pool_rig *r, const struct volume_spec *spec, struct volume **out,
             struct err *e);
int rig_clone(struct pool_rig *r, const char *snapshot, const char *name, uint64_t bytes,
              struct volume **out, struct err *e);
int rig_rollback(struct pool_rig *r, const char *volume, const char *snapshot,
                 const char *keep, struct err *e);
int rig_change(struct pool_rig *r, const char *volume, const struct volume_change *change,
               struct err *e);
int rig_trash(struct pool_rig *r, const char *volume, struct err *e);
int rig_restore(struct pool_rig *r, const char *volume, const char *name, struct err *e);
int rig_save_modes(struct pool_rig *r, struct volume *volume, const struct modes *modes,
                   struct err *e);
/* kept is the volume's from now on. */
int rig_keep_reservation(struct pool_rig *r, struct volume *volume,
                         struct kept_reservation *kept, struct err *e);
int rig_purge(struct pool_rig *r, const char *volume, struct err *e);

#endif
