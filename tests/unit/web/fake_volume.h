/* SPDX-License-Identifier: Apache-2.0 */
/* What the fake's volumes and snapshots share. */
#ifndef TESTS_UNIT_WEB_FAKE_VOLUME_H
#define TESTS_UNIT_WEB_FAKE_VOLUME_H

#include "fake_priv.h"

/* A free place, with its identity. */
struct volume *fake_volume_place(struct lunmgr *m);
struct volume *fake_snapshot_make(struct lunmgr *m, struct volume *of, const char *name,
                                  const char *group);
void call_copy_labels(struct call *call, struct label_list list);
void volume_take_labels(struct volume *v, const struct call *call);
/* A call that holds a change; the work of both kinds of it. v NULL: there is none. */
struct call *change_call(struct lunmgr *m, work_fn work, const char *name,
                         const struct volume_change *change, volume_done_fn done,
                         void *arg);
void do_change(struct call *call, struct volume *v, const char *kind, struct err *e);

#endif
