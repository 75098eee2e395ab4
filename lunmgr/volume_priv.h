/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes and snapshots from inside lunmgr: made from their rows, put where they are
 * found. Control thread. */
#ifndef LUNMGR_VOLUME_PRIV_H
#define LUNMGR_VOLUME_PRIV_H

#include "db/catalog.h"
#include "lunmgr/pool_priv.h"

/* With one reference, without a layer, in no index; NULL: out of memory. */
struct volume *volume_new(struct pool *pool, const struct volume_row *row);
/* The SCSI identity, once the catalog has given the serial. */
void volume_identify(struct volume *volume, uint64_t naa_serial);
/* One that it has from elsewhere. */
void volume_set_naa(struct volume *volume, const uint8_t naa[16]);
/* At start: what was kept, copied. 0 or -ENOMEM. */
int volume_load_reservation(struct volume *volume,
                            const struct kept_reservation *kept) MUST_CHECK;
/* A new row's members that do not depend on the volume. */
void volume_row_begin(struct volume_row *row, const struct pool *pool, const char *name);

/* 0; -EBUSY, with the field: another operation is under way. Excludes all others until
 * volume_changed_end. */
int volume_change_begin(struct volume *volume, struct err *e) MUST_CHECK;
void volume_change_end(struct volume *volume);
/* Keeps the others away while it is only looked at: counted, until volume_unpin. */
int volume_pin(struct volume *volume, struct err *e) MUST_CHECK;
void volume_unpin(struct volume *volume);
/* 0, or -EBUSY: protected. */
int volume_unprotected(const struct volume *volume, const char *field,
                       struct err *e) MUST_CHECK;
/* 0, or -EBUSY: what a shrink has cut off is not all cleared, and would show through a
 * larger clone of a snapshot; or a sanitize has failed, and what it was to remove would
 * show through a snapshot. */
int volume_cleared(const struct volume *volume, struct err *e) MUST_CHECK;

/* A snapshot belongs to its volume, as the youngest. */
void snapshot_attach(struct volume *snapshot, struct volume *of);
void snapshot_detach(struct volume *snapshot);
void snapshot_set_key(struct volume *snapshot);
/* A clone knows its base; NULL: none. */
void volume_set_base(struct volume *volume, struct volume *base);

/* The name of a snapshot to be, of this volume: 0, -EINVAL, -EEXIST. */
int snapshot_name_check(struct volume *volume, const char *name, const char *field,
                        struct err *e) MUST_CHECK;
/* A snapshot to be, in order of nothing, seen by snapshot_name_check alone. */
struct volume *snapshot_prepare(struct volume *volume, const char *name,
                                const char *group, struct volume_row *row, struct err *e);
/* It is: found from now on. Or it is not to be. */
void snapshot_publish(struct volume *snapshot, uint64_t naa_serial);
void snapshot_discard(struct volume *snapshot);

/* At start: the timer of the trash runs. Control loop. 0 or -ENOMEM. */
int trash_start(struct lunmgr *m, struct err *e) MUST_CHECK;
void trash_stop(struct lunmgr *m);
/* Something has come into the trash. */
void trash_arm(struct lunmgr *m);

#endif
