/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a device that joins a pool. */
#include "lunmgr/joining.h"

#include "base/log.h"
#include "lunmgr/op.h"
#include "lunmgr/volume_io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int joining_init(struct joining *j, const struct pool_device_spec *spec,
                 const char *pool_id, unsigned slot, struct err *e)
{
    *j = (struct joining){.size_bytes = spec->size_bytes, .force = spec->force, .fd = -1};
    if (spec->path[0] != '/' || strlen(spec->path) >= CATALOG_PATH_MAX)
        return err_set(e, -EINVAL, "path",
                       "an absolute path of at most %d bytes is wanted",
                       CATALOG_PATH_MAX - 1);
    if (spec->size_bytes != 0 && spec->size_bytes < POOL_FILE_BYTES_MIN)
        return err_set(e, -EINVAL, "size", "at least 1 MiB");
    if (spec->size_bytes / EXTENT_BYTES >= PLACE_EXT_LIMIT)
        return err_set(e, -EINVAL, "size", "at most 2 PiB");
    j->row.slot = (uint16_t)slot;
    j->row.generation = 2;
    id_make(j->row.id);
    memcpy(j->row.pool_id, pool_id, sizeof(j->row.pool_id));
    snprintf(j->row.path, sizeof(j->row.path), "%s", spec->path);
    return 0;
}

static int joining_write_superblock(struct joining *j, const char *box_id, struct err *e)
{
    struct superblock sb = {
        .slot = j->row.slot, .extents = j->row.extents, .generation = j->row.generation};
    memcpy(sb.pool_id, j->row.pool_id, sizeof(sb.pool_id));
    memcpy(sb.device_id, j->row.id, sizeof(sb.device_id));
    snprintf(sb.box_id, sizeof(sb.box_id), "%s", box_id);
    j->is_formatted = true; /* or half */
    return device_write_superblock(j->fd, &sb, e);
}

int joining_format(struct joining *j, const struct device_claim *live, const char *box_id,
                   bool dry, struct err *e)
{
    struct device_claim claim = *live;
    claim.force = j->force;
    if (dry)
        return device_check(j->row.path, j->size_bytes, &claim, &j->row.extents, e);
    int rc = device_probe(j->row.path, j->size_bytes, &claim, &j->fd, &j->direct,
                          &j->row.extents, e);
    if (rc != 0)
        return rc;
    j->way = device_way_of(j->fd);
    return joining_write_superblock(j, box_id, e);
}

int joining_prepare(struct joining *j, struct err *e)
{
    j->device = device_new(&j->row);
    return j->device == NULL ? err_oom(e) : 0;
}

struct device *joining_finish(struct joining *j)
{
    struct device *d = TAKE(j->device);
    d->row = j->row;
    d->fd = j->fd;
    d->direct = j->direct;
    d->way = j->way;
    j->fd = -1;
    return d;
}

void joining_undo(struct joining *j)
{
    struct err ignored; /* the refusal is what the asker wants to know */
    char path[CATALOG_PATH_MAX];
    if (j->is_formatted && device_wipe_superblock(j->fd, &ignored) != 0)
        log_warning("a superblock stays on a device that joined no pool", "path=%s",
                    log_quote(path, sizeof(path), j->row.path));
}

void joining_fini(struct joining *j)
{
    if (j->fd >= 0)
        close(j->fd);
    device_close(j->device);
}

int joining_live(struct lunmgr *m, struct device_claim *claim, struct err *e)
{
    size_t count = 0;
    for (struct pool *pool = NULL; (pool = pool_next(m, pool)) != NULL;)
        for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
            count++;
    char(*ids)[CATALOG_ID_MAX] = calloc(count + 1, sizeof(ids[0]));
    if (ids == NULL)
        return err_oom(e);
    *claim = (struct device_claim){.live = (const char(*)[CATALOG_ID_MAX])ids};
    for (struct pool *pool = NULL; (pool = pool_next(m, pool)) != NULL;)
        for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
            memcpy(ids[claim->live_count++], d->row.id, sizeof(d->row.id));
    return 0;
}
