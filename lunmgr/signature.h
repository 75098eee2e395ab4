/* SPDX-License-Identifier: Apache-2.0 */
/* What others leave on a disk to say that it is theirs: file systems, partition tables,
 * volume managers. Blocking. */
#ifndef LUNMGR_SIGNATURE_H
#define LUNMGR_SIGNATURE_H

#include <stdbool.h>

#define SIGNATURE_TEXT_MAX 48

/* Looks at the places where they are known to lie. True: what names the first that was
 * found, with its article ("an ext2, ext3 or ext4 file system"). fd: perhaps O_DIRECT. */
bool signature_find(int fd, char what[SIGNATURE_TEXT_MAX]);

#endif
