/* SPDX-License-Identifier: Apache-2.0 */
/* Read from the beginning, in pieces. */
#include "db/file_seal.h"

#include "base/digest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PIECE_BYTES 65536

struct file_seal {
    char mark[8];
    uint8_t sum[DIGEST_BYTES];
};
static_assert(sizeof(struct file_seal) == 40, "no padding");

static int errno_set(struct err *e, const char *what, const char *path)
{
    return err_set(e, -errno, "path", "cannot %s %s: %s", what, path,
                   strerrordesc_np(errno));
}

/* Of the next `bytes` bytes. */
static int sum_of(int fd, const char *path, uint64_t bytes, uint8_t sum[DIGEST_BYTES],
                  struct err *e)
{
    char piece[PIECE_BYTES];
    struct digest d;
    int rc = 0;
    digest_begin(&d);
    while (rc == 0 && bytes > 0) {
        ssize_t got = read(fd, piece, bytes < sizeof(piece) ? bytes : sizeof(piece));
        if (got <= 0)
            rc = got < 0 ? errno_set(e, "read", path)
                         : err_set(e, -EUCLEAN, "path", "%s has become shorter", path);
        else
            digest_add(&d, piece, (size_t)got);
        bytes -= got > 0 ? (uint64_t)got : 0;
    }
    digest_end(&d, sum);
    return rc;
}

int file_seal(const char *path, struct err *e)
{
    struct file_seal seal;
    struct stat st;
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return errno_set(e, "open", path);
    memcpy(seal.mark, FILE_SEAL_MARK, sizeof(seal.mark));
    int rc = sum_of(fd, path, (uint64_t)st.st_size, seal.sum, e);
    if (rc == 0 && write(fd, &seal, sizeof(seal)) != sizeof(seal))
        rc = errno_set(e, "write", path);
    return rc;
}

int file_check_seal(const char *path, struct err *e)
{
    struct file_seal seal;
    uint8_t sum[DIGEST_BYTES];
    struct stat st;
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return errno_set(e, "open", path);
    off_t end = st.st_size - (off_t)sizeof(seal);
    if (!S_ISREG(st.st_mode) || end <= 0 ||
        pread(fd, &seal, sizeof(seal), end) != sizeof(seal) ||
        memcmp(seal.mark, FILE_SEAL_MARK, sizeof(seal.mark)) != 0)
        return err_set(e, -EUCLEAN, "path",
                       "%s is no exported pool, or its end is missing", path);
    int rc = sum_of(fd, path, (uint64_t)end, sum, e);
    if (rc == 0 && memcmp(sum, seal.sum, sizeof(sum)) != 0)
        rc = err_set(e, -EUCLEAN, "path", "%s is damaged: its checksum does not fit",
                     path);
    return rc;
}
