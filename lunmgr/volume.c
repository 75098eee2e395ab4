/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: making, deleting, describing. What a volume's blocks do is volume_io.c's. */
#include "lunmgr/volume.h"

#include "lunmgr/op.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/volume_io.h"
#include "lunmgr/volume_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* An IEEE company id is what an NAA type 6 identifier wants. This one has the "locally
 * administered" bit, which no assigned one has: docs/DECISIONS.md. */
#define NAA_OUI 0x02a51aU

struct volume_op {
    struct op op;
    struct volume *volume;
    struct volume_row row;
    struct layer_row layer;
    bool reserved;
    union {
        volume_done_fn created;
        done_fn deleted;
    } done;
    void *arg;
};

static struct volume_op *volume_op_of(struct op *op)
{
    return container_of(op, struct volume_op, op);
}

/* ---- The object ------------------------------------------------------------------ */

/* Bytes of the box's id, in which its UUID's hex digits are. */
static uint64_t box_bits(const struct lunmgr *m)
{
    uint64_t bits = 0;
    for (const char *p = m->box_id; *p != '\0'; p++)
        bits = bits * 0x100000001b3ULL + (uint8_t)*p; /* every digit counts */
    return bits;
}

/* NAA type 6 (SPC-4 7.8.6.6.5): company, 36 bits of the box, 64 bits: the box's and the
 * serial. */
static void volume_identify(struct volume *v, uint64_t serial)
{
    uint64_t box = box_bits(v->manager);
    uint64_t high = 6ULL << 60 | (uint64_t)NAA_OUI << 36 | box >> 28;
    uint64_t low = box << 36 | (serial & ((1ULL << 36) - 1));
    for (int i = 0; i < 8; i++) {
        v->naa[i] = (uint8_t)(high >> (56 - 8 * i));
        v->naa[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    }
    snprintf(v->serial, sizeof(v->serial), "%016llx", (unsigned long long)low);
}

struct volume *volume_new(struct pool *pool, const struct volume_row *row)
{
    struct volume *v = calloc(1, sizeof(*v));
    if (v == NULL)
        return NULL;
    v->manager = pool->manager;
    v->pool = pool;
    atomic_init(&v->references, 1);
    memcpy(v->id, row->id, sizeof(v->id));
    memcpy(v->name, row->name, sizeof(v->name));
    v->size_bytes = row->size_bytes;
    v->block_bytes = row->block_bytes;
    v->created_s = row->created_s;
    volume_identify(v, row->naa_serial);
    fence_init(&v->fence, pool->manager);
    return v;
}

void volume_get(struct volume *volume)
{
    atomic_fetch_add(&volume->references, 1);
}

void volume_put(struct volume *volume)
{
    if (volume == NULL || atomic_fetch_sub(&volume->references, 1) > 1)
        return;
    fence_fini(&volume->fence);
    free(volume);
}

uint64_t volume_size_bytes(const struct volume *volume)
{
    return volume->size_bytes;
}

uint32_t volume_block_bytes(const struct volume *volume)
{
    return volume->block_bytes;
}

const char *volume_id(const struct volume *volume)
{
    return volume->id;
}

const uint8_t *volume_naa(const struct volume *volume)
{
    return volume->naa;
}

const char *volume_serial(const struct volume *volume)
{
    return volume->serial;
}

/* ---- Creating -------------------------------------------------------------------- */

static void volume_created(struct op *op)
{
    struct volume_op *vo = volume_op_of(op);
    struct volume *v = vo->volume;
    bool good = op->job.rc == 0;
    if (!good && v != NULL) {
        v->pool->volume_count--;
        layer_destroy(volume_top(v));
        volume_put(v);
    }
    if (!good && vo->reserved)
        index_unreserve(&op->manager->volumes);
    vo->done.created(vo->arg, good ? v : NULL, op_outcome(op));
    op_free(op);
}

static void volume_link_top(struct op *op)
{
    struct volume *v = volume_op_of(op)->volume;
    layer_link(volume_top(v), NULL, v);
    op_return(op);
}

static void volume_adopt(struct op *op)
{
    struct volume_op *vo = volume_op_of(op);
    struct volume *v = vo->volume;
    if (op->job.rc == 0) {
        volume_top(v)->id = vo->layer.id;
        volume_identify(v, vo->row.naa_serial);
        v->pool->provisioned_bytes += v->size_bytes;
        index_add(&op->manager->volumes, v->name, v->id, v);
        op_at_home(op, volume_link_top, volume_created);
        return;
    }
    volume_created(op);
}

static int volume_create_work(struct catalog_txn *txn, struct catalog_job *job,
                              struct err *e)
{
    struct volume_op *vo = container_of(job, struct volume_op, op.job);
    struct box_row box;
    int rc = box_get(txn, &box, e);
    if (rc == 0) {
        vo->row.naa_serial = ++box.naa_serial;
        rc = box_set(txn, &box, e);
    }
    if (rc == 0)
        rc = layer_row_add(txn, &vo->layer, e);
    vo->row.top_layer = vo->layer.id;
    return rc != 0 ? rc : volume_row_add(txn, &vo->row, e);
}

static int volume_spec_check(struct lunmgr *m, const struct volume_spec *spec,
                             struct pool **pool, struct err *e)
{
    int rc = name_check(spec->name, "name", e);
    if (rc != 0)
        return rc;
    if (spec->size_bytes == 0 || spec->size_bytes % BLOCK_BYTES != 0 ||
        spec->size_bytes > VOLUME_BYTES_MAX)
        return err_set(e, -EINVAL, "size",
                       "a multiple of 4096 bytes, from 4096 to 128 TiB, is wanted");
    if (spec->block_bytes != 0 && spec->block_bytes != SECTOR_BYTES &&
        spec->block_bytes != BLOCK_BYTES)
        return err_set(e, -EINVAL, "block_size", "512 or 4096 is wanted");
    *pool = pool_find(m, spec->pool);
    if (*pool == NULL || (*pool)->deleting)
        return err_set(e, -ENOENT, "pool", "there is no pool %s", spec->pool);
    if (volume_find(m, spec->name) != NULL)
        return err_set(e, -EEXIST, "name", "volume %s exists", spec->name);
    return 0;
}

static void volume_rows_fill(struct volume_op *vo, const struct volume_spec *spec,
                             const struct pool *pool)
{
    vo->row = (struct volume_row){
        .size_bytes = spec->size_bytes,
        .block_bytes = spec->block_bytes == 0 ? SECTOR_BYTES : spec->block_bytes,
        .created_s = now_s(),
    };
    id_make(vo->row.id);
    snprintf(vo->row.name, sizeof(vo->row.name), "%s", spec->name);
    memcpy(vo->row.pool_id, pool->id, sizeof(vo->row.pool_id));
    memcpy(vo->layer.pool_id, pool->id, sizeof(vo->layer.pool_id));
    vo->layer.size_extents = (spec->size_bytes + EXTENT_BYTES - 1) / EXTENT_BYTES;
}

/* What could fail after the commit is had before it. */
static int volume_prepare(struct volume_op *vo, struct pool *pool, struct err *e)
{
    struct lunmgr *m = pool->manager;
    if (index_reserve(&m->volumes) != 0)
        return err_oom(e);
    vo->reserved = true;
    vo->volume = volume_new(pool, &vo->row);
    if (vo->volume == NULL)
        return err_oom(e);
    pool->volume_count++;
    struct layer *top = layer_create(pool, 0, vo->layer.size_extents, 0);
    atomic_store(&vo->volume->top, top);
    return top == NULL ? err_oom(e) : 0;
}

void volume_create(struct lunmgr *m, const struct volume_spec *spec, volume_done_fn done,
                   void *arg)
{
    struct volume_op *vo = op_new(m, sizeof(*vo), volume_created);
    struct err *e = op_err(&vo->op);
    struct pool *pool = NULL;
    vo->done.created = done;
    vo->arg = arg;
    int rc = volume_spec_check(m, spec, &pool, e);
    if (rc == 0) {
        volume_rows_fill(vo, spec, pool);
        rc = volume_prepare(vo, pool, e);
    }
    if (rc != 0)
        op_end(&vo->op, rc);
    else
        op_write(&vo->op, volume_create_work, volume_adopt);
}

/* ---- Deleting -------------------------------------------------------------------- */

static void volume_deleted(struct op *op)
{
    struct volume_op *vo = volume_op_of(op);
    if (op->job.rc != 0 && vo->volume != NULL)
        vo->volume->deleting = false;
    vo->done.deleted(vo->arg, op_outcome(op));
    op_free(op);
}

static void volume_drop_layer(struct op *op)
{
    struct volume *v = volume_op_of(op)->volume;
    struct layer *top = volume_top(v);
    atomic_store(&v->top, NULL);
    top->volume = NULL;
    layer_look(top);
    op_return(op);
}

static void volume_dropped(struct op *op)
{
    struct volume_op *vo = volume_op_of(op);
    volume_put(vo->volume);
    vo->volume = NULL;
    volume_deleted(op);
}

static void volume_row_gone(struct op *op)
{
    struct volume *v = volume_op_of(op)->volume;
    if (op->job.rc != 0) {
        volume_deleted(op);
        return;
    }
    index_remove(&op->manager->volumes, v->name, v->id);
    v->pool->volume_count--;
    v->pool->provisioned_bytes -= v->size_bytes;
    op_at_home(op, volume_drop_layer, volume_dropped);
}

static int volume_delete_work(struct catalog_txn *txn, struct catalog_job *job,
                              struct err *e)
{
    struct volume_op *vo = container_of(job, struct volume_op, op.job);
    return volume_row_remove(txn, vo->volume->id, e);
}

void volume_delete(struct lunmgr *m, const char *name_or_id, bool purge, done_fn done,
                   void *arg)
{
    (void)purge; /* no trash yet */
    struct volume_op *vo = op_new(m, sizeof(*vo), volume_deleted);
    struct err *e = op_err(&vo->op);
    vo->done.deleted = done;
    vo->arg = arg;
    struct volume *v = volume_find(m, name_or_id);
    if (v == NULL || v->deleting) {
        op_end(&vo->op,
               err_set(e, -ENOENT, "volume", "there is no volume %s", name_or_id));
        return;
    }
    if (v->mapping_count > 0) {
        op_end(&vo->op, err_set(e, -EBUSY, "volume",
                                "volume %s is mapped to %u hosts: unmap "
                                "it first",
                                v->name, v->mapping_count));
        return;
    }
    v->deleting = true;
    vo->volume = v;
    op_write(&vo->op, volume_delete_work, volume_row_gone);
}

/* ---- Reading --------------------------------------------------------------------- */

struct volume *volume_find(struct lunmgr *m, const char *name_or_id)
{
    return index_find(&m->volumes, name_or_id);
}

struct volume *volume_next(struct lunmgr *m, const struct volume *prev)
{
    return index_next(&m->volumes, prev == NULL ? NULL : prev->name);
}

void volume_describe(const struct volume *v, struct volume_info *out)
{
    *out = (struct volume_info){
        .size_bytes = v->size_bytes,
        .block_bytes = v->block_bytes,
        .allocated_bytes =
            atomic_load(&volume_top((struct volume *)v)->used_extents) * EXTENT_BYTES,
        .created_s = v->created_s,
        .mapping_count = v->mapping_count,
    };
    memcpy(out->id, v->id, sizeof(out->id));
    memcpy(out->name, v->name, sizeof(out->name));
    memcpy(out->pool_id, v->pool->id, sizeof(out->pool_id));
    memcpy(out->pool_name, v->pool->name, sizeof(out->pool_name));
    memcpy(out->serial, v->serial, sizeof(out->serial));
    for (int i = 0; i < 16; i++)
        snprintf(out->naa + (size_t)2 * (size_t)i, 3, "%02x", v->naa[i]);
}
