/* SPDX-License-Identifier: Apache-2.0 */
/* Devices: opening, measuring, the superblock. Blocking calls throughout. */
#include "lunmgr/device.h"

#include "base/be.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "lunmgr/extent_set.h"
#include "lunmgr/news.h"
#include "lunmgr/signature.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#define SUPERBLOCK_BYTES   4096
#define SUPERBLOCK_COPIES  2
#define SUPERBLOCK_VERSION 1
#define EXTENT_SIZE        65536ULL
#define BUSY_PAUSE_NS      50000000L
#define BUSY_PAUSES_MAX    100

static const char superblock_magic[8] = {'A', 'S', 'H', 'L', 'A', 'R', 'D', 'V'};

struct superblock_wire { /* docs/FORMAT.md, "The device's superblock" */
    char magic[8];
    be32 version;
    be32 slot;
    be64 generation;
    be64 extents;
    char pool_id[40];
    char device_id[40];
    char box_id[40];
    uint8_t reserved[SUPERBLOCK_BYTES - 156];
    be32 crc; /* CRC32C of all before it */
};
static_assert(sizeof(struct superblock_wire) == SUPERBLOCK_BYTES, "one block");
static_assert(offsetof(struct superblock_wire, crc) == SUPERBLOCK_BYTES - 4,
              "at its end");

static int errno_set(struct err *e, const char *field, const char *what, const char *path)
{
    return err_set(e, -errno, field, "%s %s: %s", what, path, strerror(errno));
}

/* ---- The superblock ------------------------------------------------------------------
 */

static void superblock_encode(const struct superblock *sb, struct superblock_wire *w)
{
    memset(w, 0, sizeof(*w));
    memcpy(w->magic, superblock_magic, sizeof(w->magic));
    w->version = be32_of(SUPERBLOCK_VERSION);
    w->slot = be32_of(sb->slot);
    w->generation = be64_of(sb->generation);
    w->extents = be64_of(sb->extents);
    memcpy(w->pool_id, sb->pool_id, sizeof(sb->pool_id));
    memcpy(w->device_id, sb->device_id, sizeof(sb->device_id));
    memcpy(w->box_id, sb->box_id, sizeof(sb->box_id));
    w->crc = be32_of(crc32c(0, w, offsetof(struct superblock_wire, crc)));
}

static bool superblock_decode(const struct superblock_wire *w, struct superblock *sb)
{
    if (memcmp(w->magic, superblock_magic, sizeof(w->magic)) != 0 ||
        be32_get(w->version) != SUPERBLOCK_VERSION ||
        be32_get(w->crc) != crc32c(0, w, offsetof(struct superblock_wire, crc)))
        return false;
    *sb = (struct superblock){
        .slot = (uint16_t)be32_get(w->slot),
        .extents = be64_get(w->extents),
        .generation = be64_get(w->generation),
    };
    memcpy(sb->pool_id, w->pool_id, sizeof(sb->pool_id) - 1);
    memcpy(sb->device_id, w->device_id, sizeof(sb->device_id) - 1);
    memcpy(sb->box_id, w->box_id, sizeof(sb->box_id) - 1);
    return true;
}

static struct superblock_wire *superblock_buffer(struct err *e)
{
    void *p = aligned_alloc(SUPERBLOCK_BYTES, SUPERBLOCK_BYTES);
    if (p == NULL)
        err_oom(e);
    else
        memset(p, 0, SUPERBLOCK_BYTES);
    return p;
}

static int superblock_store(int fd, const struct superblock_wire *w, struct err *e)
{
    for (int i = SUPERBLOCK_COPIES - 1; i >= 0; i--) {
        if (pwrite(fd, w, SUPERBLOCK_BYTES, (off_t)i * SUPERBLOCK_BYTES) !=
            SUPERBLOCK_BYTES)
            return errno_set(e, "path", "cannot write", "the superblock");
        if (fdatasync(fd) != 0)
            return errno_set(e, "path", "cannot sync", "the superblock");
    }
    return 0;
}

int device_write_superblock(int fd, const struct superblock *sb, struct err *e)
{
    AUTO_FREE struct superblock_wire *w = superblock_buffer(e);
    if (w == NULL)
        return -ENOMEM;
    superblock_encode(sb, w);
    return superblock_store(fd, w, e);
}

int device_wipe_superblock(int fd, struct err *e)
{
    AUTO_FREE struct superblock_wire *w = superblock_buffer(e);
    return w == NULL ? -ENOMEM : superblock_store(fd, w, e);
}

int device_read_superblock(int fd, struct superblock *sb, struct err *e)
{
    AUTO_FREE struct superblock_wire *w = superblock_buffer(e);
    if (w == NULL)
        return -ENOMEM;
    bool found = false;
    for (int i = 0; i < SUPERBLOCK_COPIES; i++) {
        struct superblock one;
        if (pread(fd, w, SUPERBLOCK_BYTES, (off_t)i * SUPERBLOCK_BYTES) !=
                SUPERBLOCK_BYTES ||
            !superblock_decode(w, &one))
            continue;
        if (!found || one.generation > sb->generation)
            *sb = one;
        found = true;
    }
    if (found)
        return 0;
    return err_set(e, -ENODATA, "path", "carries no superblock of a pool");
}

int device_superblock_set_generation(struct device *d, uint64_t generation,
                                     const char *box_id, struct err *e)
{
    struct superblock sb;
    pthread_mutex_lock(&d->superblock);
    int rc = device_read_superblock(d->fd, &sb, e);
    if (rc == 0) {
        sb.generation = generation;
        snprintf(sb.box_id, sizeof(sb.box_id), "%s", box_id);
        rc = device_write_superblock(d->fd, &sb, e);
    }
    pthread_mutex_unlock(&d->superblock);
    return rc;
}

/* The kernel tells of a write of the page cache that failed once, to whoever syncs next:
 * what a round would have heard of, it does not hear again. */
static int sync_failed(struct device *d, int rc)
{
    device_fail(d, "it could not be synced", -rc);
    return rc;
}

int device_superblock_set_extents(struct device *d, uint64_t extents, struct err *e)
{
    struct superblock sb;
    pthread_mutex_lock(&d->superblock);
    int rc = device_read_superblock(d->fd, &sb, e);
    if (rc == 0 && sb.extents < extents) {
        sb.extents = extents;
        rc = device_write_superblock(d->fd, &sb, e);
        if (rc != 0 && rc != -ENOMEM)
            rc = sync_failed(d, rc);
    }
    pthread_mutex_unlock(&d->superblock);
    return rc;
}

/* ---- Opening -------------------------------------------------------------------------
 */

/* O_DIRECT where the file system takes it: what is in its first blocks is read from the
 * disk itself. device_use_page_cache() comes after, where the pool is known. */
static int open_direct(const char *path, int flags, bool *direct)
{
    int fd = open(path, flags | O_DIRECT | O_CLOEXEC, 0600);
    *direct = fd >= 0;
    if (fd < 0 && errno == EINVAL)
        fd = open(path, flags | O_CLOEXEC, 0600);
    return fd;
}

/* Nothing is written or dropped for it: before a direct read or write the kernel writes
 * what the cache has dirty of that range, and a direct write drops it there. What is
 * dirty elsewhere the next round's fdatasync covers, as it does all else. */
void device_use_page_cache(struct device *d, bool used)
{
    int flags = d->fd < 0 ? -1 : fcntl(d->fd, F_GETFL);
    if (flags < 0)
        return;
    int wanted = used ? flags & ~O_DIRECT : flags | O_DIRECT;
    if (wanted != flags && fcntl(d->fd, F_SETFL, wanted) == 0)
        flags = wanted; /* else it cannot be direct, as open_direct() finds it too */
    d->direct = (flags & O_DIRECT) != 0;
}

/* The new name is durable only with its directory. */
static int sync_directory(const char *path, struct err *e)
{
    char copy[CATALOG_PATH_MAX];
    if (strlen(path) >= sizeof(copy))
        return err_set(e, -ENAMETOOLONG, "path", "longer than %d bytes",
                       CATALOG_PATH_MAX);
    memcpy(copy, path, strlen(path) + 1);
    AUTO_CLOSE int dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || fsync(dir) != 0)
        return errno_set(e, "path", "cannot sync the directory of", path);
    return 0;
}

enum device_way device_way_of(int fd)
{
    static const struct {
        long magic;
        enum device_way way;
    } kinds[] = {
        {FUSE_SUPER_MAGIC, DEVICE_BLOCKS}, {NFS_SUPER_MAGIC, DEVICE_BLOCKS},
        {SMB_SUPER_MAGIC, DEVICE_BLOCKS},  {CIFS_SUPER_MAGIC, DEVICE_BLOCKS},
        {SMB2_SUPER_MAGIC, DEVICE_BLOCKS}, {V9FS_MAGIC, DEVICE_BLOCKS},
        {CEPH_SUPER_MAGIC, DEVICE_BLOCKS}, {AFS_FS_MAGIC, DEVICE_BLOCKS},
        {TMPFS_MAGIC, DEVICE_IN_MEMORY},   {RAMFS_MAGIC, DEVICE_IN_MEMORY},
    };
    struct stat st;
    struct statfs fs;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || fstatfs(fd, &fs) != 0)
        return DEVICE_QUEUES;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if ((uint32_t)fs.f_type == (uint32_t)kinds[i].magic)
            return kinds[i].way;
    }
    return DEVICE_QUEUES;
}

static int measure(int fd, const char *path, uint64_t *bytes, bool *is_file,
                   struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return errno_set(e, "path", "cannot stat", path);
    *is_file = S_ISREG(st.st_mode);
    *bytes = (uint64_t)st.st_size;
    if (S_ISBLK(st.st_mode)) {
        if (ioctl(fd, BLKGETSIZE64, bytes) != 0)
            return errno_set(e, "path", "cannot measure", path);
    } else if (!*is_file) {
        return err_set(e, -EINVAL, "path", "%s is neither a file nor a block device",
                       path);
    }
    return 0;
}

static int size_file(int fd, const char *path, uint64_t want, struct err *e)
{
    if (ftruncate(fd, (off_t)want) != 0 || fsync(fd) != 0)
        return errno_set(e, "size", "cannot size", path);
    return sync_directory(path, e);
}

static int lock_exclusive(int fd, const char *path, struct err *e)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return err_set(e, -EBUSY, "path", "%s is in use by another program or pool", path);
}

static bool is_live(const struct device_claim *claim, const char *id)
{
    for (size_t i = 0; i < claim->live_count; i++)
        if (strcmp(claim->live[i], id) == 0)
            return true;
    return false;
}

/* What it carries is somebody's. */
static int refuse_carried(int fd, const char *path, const struct device_claim *claim,
                          struct err *e)
{
    struct superblock sb;
    char what[SIGNATURE_TEXT_MAX];
    int rc = device_read_superblock(fd, &sb, NULL);
    if (rc != 0 && rc != -ENODATA)
        return rc;
    if (rc == 0 && is_live(claim, sb.device_id))
        return err_set(e, -EEXIST, "path",
                       "%s is device %s of pool %s, which this box has", path,
                       sb.device_id, sb.pool_id);
    if (claim->force)
        return 0;
    if (rc == 0)
        return err_set(e, -EEXIST, "path",
                       "%s belongs to pool %s (device %s, box %s); force overwrites it",
                       path, sb.pool_id, sb.device_id, sb.box_id);
    if (signature_find(fd, what))
        return err_set(e, -EEXIST, "path", "%s carries %s; force overwrites it", path,
                       what);
    return 0;
}

static int extents_of(const char *path, uint64_t bytes, uint64_t *extents, struct err *e)
{
    if (bytes < 2 * EXTENT_SIZE)
        return err_set(e, -EINVAL, "size", "%s is too small: at least 128 KiB", path);
    *extents = bytes / EXTENT_SIZE;
    return 0;
}

/* Whether the open device can join a pool, and how long it is or is to be made. A file
 * with something in it is taken as it is, or not at all. */
static int probe_open(int fd, const char *path, uint64_t size_bytes,
                      const struct device_claim *claim, uint64_t *bytes, struct err *e)
{
    bool is_file;
    int rc = measure(fd, path, bytes, &is_file, e);
    if (rc == 0)
        rc = lock_exclusive(fd, path, e);
    if (rc == 0)
        rc = refuse_carried(fd, path, claim, e);
    if (rc != 0)
        return rc;
    if (size_bytes > 0 && !is_file)
        return err_set(e, -EINVAL, "size", "%s is a block device: it has its size", path);
    if (size_bytes > 0 && *bytes > 0 && size_bytes != *bytes)
        return err_set(e, -EEXIST, "size", "%s exists and has %llu bytes", path,
                       (unsigned long long)*bytes);
    return 0;
}

/* O_EXCL without O_CREAT: not a block device that is mounted or part of another. */
static int probe_flags(uint64_t size_bytes, int flags_of_file)
{
    return O_RDWR | (size_bytes > 0 ? flags_of_file : O_EXCL);
}

static int probe_and_size(int fd, const char *path, uint64_t size_bytes,
                          const struct device_claim *claim, uint64_t *extents,
                          struct err *e)
{
    uint64_t bytes;
    int rc = probe_open(fd, path, size_bytes, claim, &bytes, e);
    if (rc == 0 && size_bytes > 0 && bytes == 0) {
        rc = size_file(fd, path, size_bytes, e);
        bytes = size_bytes;
    }
    return rc != 0 ? rc : extents_of(path, bytes, extents, e);
}

int device_probe(const char *path, uint64_t size_bytes, const struct device_claim *claim,
                 int *out_fd, bool *direct, uint64_t *extents, struct err *e)
{
    int fd = open_direct(path, probe_flags(size_bytes, O_CREAT), direct);
    if (fd < 0)
        return errno_set(e, "path", "cannot open", path);
    int rc = probe_and_size(fd, path, size_bytes, claim, extents, e);
    if (rc != 0) {
        close(fd);
        return rc;
    }
    *out_fd = fd;
    return 0;
}

/* Whether a file could be made there. */
static int check_directory(const char *path, struct err *e)
{
    char copy[CATALOG_PATH_MAX];
    snprintf(copy, sizeof(copy), "%s", path); /* one that is longer cannot be opened */
    return faccessat(AT_FDCWD, dirname(copy), W_OK | X_OK, AT_EACCESS) == 0
               ? 0
               : errno_set(e, "path", "cannot open", path);
}

int device_check(const char *path, uint64_t size_bytes, const struct device_claim *claim,
                 uint64_t *extents, struct err *e)
{
    bool direct;
    uint64_t bytes = 0;
    AUTO_CLOSE int fd = open_direct(path, probe_flags(size_bytes, 0), &direct);
    int rc;
    if (fd >= 0)
        rc = probe_open(fd, path, size_bytes, claim, &bytes, e);
    else if (errno == ENOENT && size_bytes > 0)
        rc = check_directory(path, e);
    else
        rc = errno_set(e, "path", "cannot open", path);
    if (rc == 0 && bytes == 0)
        bytes = size_bytes;
    return rc != 0 ? rc : extents_of(path, bytes, extents, e);
}

static int grow_file(struct device *d, uint64_t want, struct err *e)
{
    const char *path = d->row.path;
    if (ftruncate(d->fd, (off_t)want) != 0)
        return errno_set(e, "size", "cannot size", path);
    if (fsync(d->fd) != 0)
        return sync_failed(d, errno_set(e, "size", "cannot sync", path));
    return sync_directory(path, e);
}

int device_resize(struct device *d, uint64_t size_bytes, bool dry, uint64_t *extents,
                  struct err *e)
{
    const char *path = d->row.path;
    uint64_t bytes;
    bool is_file;
    int rc = measure(d->fd, path, &bytes, &is_file, e);
    if (rc != 0)
        return rc;
    if (size_bytes > 0 && !is_file)
        return err_set(e, -EINVAL, "size", "%s is a block device: it has its size", path);
    if (size_bytes > 0 && size_bytes < bytes)
        return err_set(e, -EINVAL, "size",
                       "%s has %llu bytes already: a device is never made smaller", path,
                       (unsigned long long)bytes);
    if (size_bytes > bytes) {
        rc = dry ? 0 : grow_file(d, size_bytes, e);
        bytes = size_bytes;
    }
    return rc != 0 ? rc : extents_of(path, bytes, extents, e);
}

static int check_against_row(const struct superblock *sb, const struct device_row *row,
                             struct err *e)
{
    if (strcmp(sb->pool_id, row->pool_id) != 0 || strcmp(sb->device_id, row->id) != 0)
        return err_set(e, -EUCLEAN, "path",
                       "%s carries device %s of pool %s, not %s of %s", row->path,
                       sb->device_id, sb->pool_id, row->id, row->pool_id);
    bool raising = row->generation % 2 == 1; /* a start was cut off between the two */
    if (sb->generation > row->generation + raising)
        return err_set(e, -ESTALE, "generation",
                       "the catalog (generation %llu) is older than device %s (%llu)",
                       (unsigned long long)row->generation, row->path,
                       (unsigned long long)sb->generation);
    if (sb->generation < row->generation - raising)
        return err_set(e, -EUCLEAN, "generation",
                       "device %s (generation %llu) is older than the catalog (%llu)",
                       row->path, (unsigned long long)sb->generation,
                       (unsigned long long)row->generation);
    return 0;
}

/* Exclusively, with its superblock; what is open is c's also where it is refused. */
static int carrier_open(const char *path, struct carrier *c, struct err *e)
{
    uint64_t bytes = 0;
    bool is_file;
    c->fd = open_direct(path, O_RDWR | O_EXCL, &c->direct);
    if (c->fd < 0)
        return errno_set(e, "path", "cannot open", path);
    c->way = device_way_of(c->fd);
    int rc = measure(c->fd, path, &bytes, &is_file, e);
    if (rc == 0)
        rc = lock_exclusive(c->fd, path, e);
    if (rc == 0)
        rc = device_read_superblock(c->fd, &c->superblock, e);
    c->extents = rc == 0 ? bytes / EXTENT_SIZE : 0;
    return rc;
}

int device_carrier_open(const char *path, struct carrier *out, struct err *e)
{
    int rc = carrier_open(path, out, e);
    if (rc == -ENODATA)
        rc = err_set(e, rc, "path", "%s carries no superblock of a pool", path);
    if (rc != 0)
        device_carrier_close(out);
    return rc;
}

void device_carrier_close(struct carrier *c)
{
    auto_close(&c->fd);
    c->fd = -1;
}

void device_take_carrier(struct device *d, struct carrier *c)
{
    d->fd = c->fd;
    d->direct = c->direct;
    d->way = c->way;
    c->fd = -1;
}

static int open_known(struct device *d, struct err *e)
{
    struct carrier c = {.fd = -1};
    int rc = carrier_open(d->row.path, &c, e);
    device_take_carrier(d, &c);
    if (rc == 0)
        rc = check_against_row(&c.superblock, &d->row, e);
    if (rc == 0 && c.extents < d->row.extents)
        rc = err_set(e, -EUCLEAN, "path", "%s is smaller than when it joined the pool",
                     d->row.path);
    return rc;
}

/* A daemon that was killed holds its devices until the kernel has ended what was in
 * flight. */
static int open_when_free(struct device *d, struct err *e)
{
    const struct timespec pause = {.tv_nsec = BUSY_PAUSE_NS};
    for (int pauses = 0;; pauses++) {
        int rc = open_known(d, e);
        if (rc != -EBUSY || pauses == BUSY_PAUSES_MAX)
            return rc;
        if (d->fd >= 0)
            close(d->fd);
        d->fd = -1;
        nanosleep(&pause, NULL);
    }
}

struct device *device_new(const struct device_row *row)
{
    struct device *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return NULL;
    atomic_init(&d->references, 1);
    d->row = *row;
    d->fd = -1;
    d->alloc = alloc_create(row->extents);
    if (d->alloc == NULL) {
        free(d);
        return NULL;
    }
    pthread_mutex_init(&d->superblock, NULL);
    return d;
}

void device_miss(struct device *d, const struct err *why)
{
    snprintf(d->reason, sizeof(d->reason), "%s", why->text);
    atomic_store(&d->has_reason, true);
    d->missing = true;
    atomic_store(&d->failed, true);
    if (d->fd >= 0) /* what is there may be another pool's */
        close(d->fd);
    d->fd = -1;
}

int device_open(const struct device_row *row, struct device **out, struct err *e)
{
    struct device *d = *out = device_new(row);
    if (d == NULL)
        return err_oom(e);
    int rc = open_when_free(d, e);
    if (rc != 0)
        device_miss(d, e);
    return rc;
}

void device_close(struct device *d)
{
    if (d != NULL)
        device_put(d);
}

void device_get(struct device *d)
{
    atomic_fetch_add(&d->references, 1);
}

void device_put(struct device *d)
{
    if (atomic_fetch_sub(&d->references, 1) > 1)
        return;
    if (d->fd >= 0)
        close(d->fd);
    extent_set_destroy(d->discards);
    alloc_destroy(d->alloc);
    pthread_mutex_destroy(&d->superblock);
    free(d);
}

void device_count_error(struct device *d, enum engine_op op)
{
    if (op == ENGINE_READ)
        atomic_fetch_add(&d->read_errors, 1);
    else if (op == ENGINE_WRITE)
        atomic_fetch_add(&d->write_errors, 1);
    else if (op == ENGINE_SYNC)
        atomic_fetch_add(&d->sync_errors, 1);
}

void device_fail(struct device *d, const char *reason, int error)
{
    char path[CATALOG_PATH_MAX];
    if (atomic_exchange(&d->failed, true))
        return;
    snprintf(d->reason, sizeof(d->reason), "%s: %s", reason, strerror(error));
    atomic_store(&d->has_reason, true);
    log_error("device failed", "pool=%s path=%s reason=\"%s\" errno=%d", d->pool_name,
              log_quote(path, sizeof(path), d->row.path), reason, error);
    if (d->manager != NULL)
        news_device_failed(d, reason, error);
}

/* What is left of such a device has no blocks. A file system that waits for a server is
 * not asked: a lane is the caller. */
static bool device_is_gone(const struct device *d)
{
    struct stat st;
    uint64_t bytes = 0;
    if (d->way == DEVICE_BLOCKS || fstat(d->fd, &st) != 0 || !S_ISBLK(st.st_mode))
        return false;
    return ioctl(d->fd, BLKGETSIZE64, &bytes) != 0 || bytes == 0;
}

void device_fail_if_gone(struct device *d)
{
    if (!device_is_failed(d) && device_is_gone(d))
        device_fail(d, "it is not there any more", ENODEV);
}
