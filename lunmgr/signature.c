/* SPDX-License-Identifier: Apache-2.0 */
/* One table. A device that ends before a place has nothing there. */
#include "lunmgr/signature.h"

#include "base/auto.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW_BYTES 4096 /* as O_DIRECT wants reads */

struct signature {
    uint64_t offset;
    unsigned length;
    const char *bytes;
    const char *what;
};

static const struct signature signatures[] = {
    {0, 4, "XFSB", "an XFS file system"},
    {0, 6, "LUKS\xba\xbe", "a LUKS volume"},
    {0, 4, "QFI\xfb", "a qcow2 image"},
    {0, 4, "hsqs", "a SquashFS file system"},
    {0, 4, "\xfc\x4e\x2b\xa9", "an MD RAID member"},
    {3, 8, "NTFS    ", "an NTFS file system"},
    {3, 8, "EXFAT   ", "an exFAT file system"},
    {54, 5, "FAT16", "a FAT file system"},
    {54, 5, "FAT12", "a FAT file system"},
    {82, 5, "FAT32", "a FAT file system"},
    {0, 8, "LABELONE", "an LVM physical volume"},
    {512, 8, "LABELONE", "an LVM physical volume"},
    {1024, 8, "LABELONE", "an LVM physical volume"},
    {1536, 8, "LABELONE", "an LVM physical volume"},
    {512, 8, "EFI PART", "a GPT partition table"},
    {1024, 4, "\x10\x20\xf5\xf2", "an F2FS file system"},
    {1080, 2, "\x53\xef", "an ext2, ext3 or ext4 file system"},
    {4086, 10, "SWAPSPACE2", "swap space"},
    {4096, 8, "EFI PART", "a GPT partition table"},
    {4096, 4, "\xfc\x4e\x2b\xa9", "an MD RAID member"},
    {4120, 16, "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81",
     "a bcache device"},
    {32769, 5, "CD001", "an ISO 9660 file system"},
    {65600, 8, "_BHRfS_M", "a Btrfs file system"},
    {131072, 8, "\x0c\xb1\xba\x00\x00\x00\x00\x00", "a ZFS pool member"},
    {0x100000, 4, "\x0d\xd0\x01\xc0", "a VMFS file system"},
    /* The last, for others have it in their first sector too. */
    {510, 2, "\x55\xaa", "an MBR partition table or a boot sector"},
};

bool signature_find(int fd, char what[SIGNATURE_TEXT_MAX])
{
    AUTO_FREE uint8_t *window = aligned_alloc(WINDOW_BYTES, WINDOW_BYTES);
    uint64_t at = UINT64_MAX;
    bool readable = false;
    if (window == NULL) { /* rather refused than overwritten */
        snprintf(what, SIGNATURE_TEXT_MAX, "what could not be looked at");
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
        const struct signature *s = &signatures[i];
        uint64_t first = s->offset / WINDOW_BYTES * WINDOW_BYTES;
        if (at != first)
            readable = pread(fd, window, WINDOW_BYTES, (off_t)first) == WINDOW_BYTES;
        at = first;
        if (!readable ||
            memcmp(window + s->offset % WINDOW_BYTES, s->bytes, s->length) != 0)
            continue;
        snprintf(what, SIGNATURE_TEXT_MAX, "%s", s->what);
        return true;
    }
    return false;
}
