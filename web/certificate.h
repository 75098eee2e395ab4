/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate for a box that was given none: self-signed, EC P-256, made once and kept
 * in a directory of its own beside its key. Whoever is to trust it is given its file or
 * its fingerprint. Control thread, at the start and at a reload: it waits for the disk.
 */
#ifndef WEB_CERTIFICATE_H
#define WEB_CERTIFICATE_H

#include "base/err.h"

#include <limits.h>
#include <stdbool.h>

#define CERTIFICATE_DAYS 3650
#define CERTIFICATE_PATH (PATH_MAX + 20)

struct certificate_files {
    char certificate[CERTIFICATE_PATH], key[CERTIFICATE_PATH];
};

/* The pair in dir (absolute, mode 0700), made if there is no dir or nothing in it: for
 * this machine's name, localhost, 127.0.0.1, ::1, and `ip` (numeric) unless it is NULL.
 * The two files appear together or not at all. *made: they are new. -EINVAL: one is there
 * without the other, and e says what to do; else what the system said. */
int certificate_ensure(const char *dir, const char *ip, struct certificate_files *out,
                       bool *made, struct err *e) MUST_CHECK;

#endif
