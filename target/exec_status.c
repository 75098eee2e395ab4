/* SPDX-License-Identifier: Apache-2.0 */
/* GET LBA STATUS: which blocks have space of their own. SBC-4, 5.9. On the reactor's
 * thread. */
#include "proto/caps.h"
#include "target/exec_ops.h"

#include <assert.h>

/* One command tells of at most so much: what comes after, the initiator asks for. */
#define STATUS_BYTES_MAX   (1ULL << 30)
#define STATUS_ENTRIES_MAX 64U
/* In the buffer, behind the reply: the volume's own list. */
#define STATUS_LIST_OFFSET 2048U
static_assert(LBA_STATUS_HEADER_BYTES + STATUS_ENTRIES_MAX * LBA_STATUS_ENTRY_BYTES <=
                  STATUS_LIST_OFFSET,
              "the list lies behind the reply");

enum exec_result exec_lba_status_prepare(struct task *t)
{
    struct cdb_lba_status req;
    cdb_lba_status_decode(t->cdb, &req);
    if (req.lba >= lu_block_count(t->lu))
        return exec_refuse(t, SENSE_LBA_RANGE);
    t->exec.lba = req.lba;
    t->buffer_bytes =
        STATUS_LIST_OFFSET + STATUS_ENTRIES_MAX * (uint32_t)sizeof(struct vio_status);
    return EXEC_PENDING;
}

/* The volume tells of blocks of 4 KiB, which may reach beyond what was asked. */
static void put_entry(const struct task *t, const struct vio_status *s, struct wire *w)
{
    uint64_t lba = s->offset_bytes >> t->lu->block_shift;
    uint64_t end = (s->offset_bytes + s->length_bytes) >> t->lu->block_shift;
    uint64_t limit = t->exec.lba + t->exec.blocks;
    lba = lba < t->exec.lba ? t->exec.lba : lba;
    end = end > limit ? limit : end;
    lba_status_entry_encode(lba, (uint32_t)(end - lba), s->mapped, w);
}

static void exec_lba_status_done(struct vio *vio, int rc)
{
    struct task *t = exec_vio_task(vio);
    struct cdb_lba_status req;
    struct wire w;
    if (rc == 0) {
        cdb_lba_status_decode(t->cdb, &req);
        exec_reply_init(t, req.alloc_bytes, &w);
        lba_status_header_encode(vio->status_count, &w);
        for (uint32_t i = 0; i < vio->status_count; i++)
            put_entry(t, &vio->status[i], &w);
        (void)exec_reply(t, &w);
    }
    exec_end(t, rc);
}

enum exec_result exec_lba_status(struct task *t)
{
    uint64_t count = lu_block_count(t->lu);
    uint64_t most = STATUS_BYTES_MAX >> t->lu->block_shift;
    if (t->exec.lba >= count) /* it has shrunk since exec_prepare */
        return exec_refuse(t, SENSE_LBA_RANGE);
    t->exec.blocks = count - t->exec.lba < most ? count - t->exec.lba : most;
    exec_vio_range(t, VIO_STATUS, t->exec.lba, t->exec.blocks);
    t->exec.vio.status = (void *)(t->buffer.base + STATUS_LIST_OFFSET);
    t->exec.vio.status_max = STATUS_ENTRIES_MAX;
    return exec_vio_submit(t, exec_lba_status_done);
}
