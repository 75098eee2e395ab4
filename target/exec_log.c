/* SPDX-License-Identifier: Apache-2.0 */
/* LOG SENSE: what a unit has done, and how much space it and its pool have. SPC-5, 6.8.
 * On the reactor's thread. */
#include "lunmgr/pool.h"
#include "proto/log.h"
#include "target/exec_ops.h"
#include "target/unit.h"

#include <assert.h>

static_assert(EXTENT_BYTES == 1U << EXEC_THRESHOLD_SHIFT, "a threshold set is an extent");

static void log_figures_of(const struct lu *lu, struct log_figures *out)
{
    struct unit_work reads = unit_work(lu->unit, false);
    struct unit_work writes = unit_work(lu->unit, true);
    *out = (struct log_figures){
        .available_sets = volume_available_extents(
            lu->volume, pool_free_bytes(volume_pool(lu->volume)) / EXTENT_BYTES),
        .used_sets = volume_used_extents(lu->volume),
        .read_commands = reads.commands,
        .write_commands = writes.commands,
        .read_blocks = reads.bytes >> lu->block_shift,
        .written_blocks = writes.bytes >> lu->block_shift,
        .read_us = reads.us,
        .write_us = writes.us,
    };
}

enum exec_result exec_log_sense(struct task *t)
{
    struct cdb_log_sense log;
    struct log_figures figures;
    struct wire w;
    cdb_log_sense_decode(t->cdb, &log);
    log_figures_of(t->lu, &figures);
    exec_reply_init(t, log.alloc_bytes, &w);
    if (log_sense_encode(&figures, &log, &w, &t->sense) != 0)
        return exec_check(t);
    return exec_reply(t, &w);
}
