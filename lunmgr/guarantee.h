/* SPDX-License-Identifier: Apache-2.0 */
/* A volume's guarantee as an admin sets it: bytes, counted in whole extents. Control
 * thread, while no other operation changes the volume's layers. */
#ifndef LUNMGR_GUARANTEE_H
#define LUNMGR_GUARANTEE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct layer;
struct pool;
struct volume;

/* -EINVAL, field: it is more than the volume's size. */
int guarantee_check(uint64_t guaranteed_bytes, uint64_t size_bytes, const char *field,
                    struct err *e) MUST_CHECK;
/* What is reserved from now on for a volume with this top. -ENOSPC: the pool lacks it.
 * is_dry: only that is looked at. */
int guarantee_reserve(struct layer *top, uint64_t bytes, bool is_dry,
                      struct err *e) MUST_CHECK;
/* As the volume has it: more is not reserved, after a change that ended or failed. */
void guarantee_settle(const struct volume *volume);
/* err of what takes short_of extents more than there are. */
int guarantee_refuse(const struct pool *pool, const char *field, uint64_t short_of,
                     struct err *e) MUST_CHECK;

#endif
