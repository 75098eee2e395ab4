/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log, read through the catalog: what was changed by whom, in the order of the
 * commits. How its entries are chained is base/audit_chain.h's. Control thread. */
#ifndef LUNMGR_AUDIT_H
#define LUNMGR_AUDIT_H

#include "base/audit_chain.h"
#include "base/err.h"

#define AUDIT_LIST_MAX 1000 /* entries in one call */

struct lunmgr;

struct audit_entry {
    struct audit_fields fields;
    uint8_t hash[DIGEST_BYTES];
};

/* Entries are borrowed for the call, NULL with e. */
typedef void (*audit_done_fn)(void *arg, const struct audit_entry *entries, size_t count,
                              const struct err *e);
/* The first `limit` entries after after_seq (0: from the first on), at most
 * AUDIT_LIST_MAX. Fewer: there are no more now. All that was answered before the call is
 * in. Their requests take what memory they take. */
void audit_list(struct lunmgr *m, uint64_t after_seq, unsigned limit, audit_done_fn done,
                void *arg);

#endif
