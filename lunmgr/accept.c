/* SPDX-License-Identifier: Apache-2.0 */
/* The rows take over the superblocks' generation; the next start raises both. */
#include "lunmgr/accept.h"

#include "base/log.h"
#include "lunmgr/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct accept {
    struct catalog_txn *txn;
    struct err *e;
    unsigned count;
};

static bool is_later(const struct device_row *row, struct superblock *sb)
{
    AUTO_CLOSE int fd = open(row->path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && device_read_superblock(fd, sb, NULL) == 0 &&
           strcmp(sb->pool_id, row->pool_id) == 0 &&
           strcmp(sb->device_id, row->id) == 0 &&
           sb->generation > row->generation + row->generation % 2;
}

static int accept_device(const struct device_row *row, void *arg)
{
    struct accept *a = arg;
    struct superblock sb;
    char path[CATALOG_PATH_MAX], request[128];
    if (!is_later(row, &sb))
        return 0;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(request, sizeof(request), "{\"from\":%llu,\"to\":%llu}",
             (unsigned long long)row->generation, (unsigned long long)sb.generation);
    struct audit_row entry = {
        .fields = {.time_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000,
                   .who = "ashlard --accept-older-catalog",
                   .from = "",
                   .operation = "catalog_accept",
                   .subject = row->path,
                   .subject_id = row->id,
                   .request = request}};
    int rc = device_row_set_generation(a->txn, row->no, sb.generation, a->e);
    if (rc == 0)
        rc = audit_row_add(a->txn, &entry, a->e);
    if (rc != 0)
        return rc;
    a->count++;
    log_warning("an older catalog was accepted", "path=%s generation=%llu device=%llu",
                log_quote(path, sizeof(path), row->path),
                (unsigned long long)row->generation, (unsigned long long)sb.generation);
    return 0;
}

static int accept_work(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct accept *a = arg;
    a->txn = txn;
    a->e = e;
    int rc = device_row_each(txn, accept_device, a, e);
    if (rc == 0 && a->count == 0)
        rc = err_set(e, -ENODATA, NULL, "no device is newer than the catalog");
    return rc;
}

int catalog_accept(struct catalog *catalog, unsigned *count, struct err *e)
{
    struct accept a = {.count = 0};
    int rc = catalog_write_wait(catalog, accept_work, &a, e);
    *count = rc == 0 ? a.count : 0;
    return rc;
}
