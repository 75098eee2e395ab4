/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of initiator a host is, and what such cannot use, so that it is refused with
 * a reason when it is asked for instead of failing at the hypervisor. A unit is the same
 * to all of them: identity, pages and limits are what the strictest one needs. Any
 * thread. */
#ifndef LUNMGR_PROFILE_H
#define LUNMGR_PROFILE_H

#include "base/auth.h"
#include "base/auto.h"
#include "base/err.h"

#include <stdint.h>

#define PROFILE_NAME_MAX 12 /* with NUL */
#define PROFILE_LIST_MAX 64

struct profile {
    const char *name;     /* "esxi" */
    uint32_t block_bytes; /* the only logical block that it can use; 0: any */
    uint16_t lun_max;     /* the highest LUN that it looks at */
    uint8_t secret_min;   /* bytes of a CHAP secret */
    uint8_t secret_max;
    bool lacks_mutual_chap;
};

/* "": linux, which is held to nothing. NULL and *e of the field profile: no such. */
const struct profile *profile_find(const char *name, struct err *e);

/* The names of all of them, for a reader: "linux, qemu, ... or windows". */
void profile_list(char out[PROFILE_LIST_MAX]);

/* 0, or -EINVAL naming the field of a mapping, or of credentials under `field`. */
int profile_takes_unit(const struct profile *p, uint32_t block_bytes, uint16_t lun,
                       struct err *e) MUST_CHECK;
int profile_takes_auth(const struct profile *p, const struct auth *auth,
                       const char *field, struct err *e) MUST_CHECK;

#endif
