/* SPDX-License-Identifier: Apache-2.0 */
/* Labels of volumes and snapshots: checked, kept in order of key, stored. Control thread,
 * but labels_store. */
#ifndef LUNMGR_LABEL_H
#define LUNMGR_LABEL_H

#include "base/err.h"
#include "lunmgr/volume.h"

struct catalog_txn;

/* 0, or -EINVAL with the field labels or labels/KEY. */
int labels_check(struct label_list list, struct err *e) MUST_CHECK;
/* The volume's own copy, in order of key, in place of what it had. 0 or -ENOMEM. */
int labels_set(struct volume *volume, struct label_list list) MUST_CHECK;
/* At start: one more. 0 or -ENOMEM. */
int labels_add(struct volume *volume, const char *key, const char *value) MUST_CHECK;
struct label_list labels_of(const struct volume *volume);
/* On the catalog's writer. */
int labels_store(struct catalog_txn *txn, const char *volume_id, struct label_list list,
                 struct err *e) MUST_CHECK;

#endif
