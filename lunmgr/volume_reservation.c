/* SPDX-License-Identifier: Apache-2.0 */
/* The persistent reservation that is kept with a volume or a snapshot (APTPL): read at
 * the start, written when asked. What is in force now is the target's. Control thread. */
#include "lunmgr/op.h"
#include "lunmgr/volume_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reservation_op {
    struct op op;
    struct volume *volume; /* with a reference */
    struct kept_reservation *kept;
    done_fn done;
    void *arg;
};

static void reservation_end(struct op *op)
{
    struct reservation_op *ro = container_of(op, struct reservation_op, op);
    struct volume *v = ro->volume;
    if (op->job.rc == 0) {
        free(v->kept_reservation);
        v->kept_reservation = ro->kept;
    } else {
        free(ro->kept);
    }
    ro->done(ro->arg, op_outcome(op));
    op_free(op);
    volume_put(v);
}

static int reservation_work(struct catalog_txn *txn, struct catalog_job *job,
                            struct err *e)
{
    struct reservation_op *ro = container_of(job, struct reservation_op, op.job);
    return reservation_row_set(txn, ro->volume->id, ro->kept, e);
}

void volume_keep_reservation(struct volume *volume, struct kept_reservation *kept,
                             done_fn done, void *arg)
{
    struct reservation_op *ro = op_new(volume->manager, sizeof(*ro), reservation_end);
    volume_get(volume);
    ro->volume = volume;
    ro->kept = kept;
    ro->done = done;
    ro->arg = arg;
    op_write(&ro->op, reservation_work, reservation_end);
}

const struct kept_reservation *volume_kept_reservation(const struct volume *volume)
{
    return volume->kept_reservation;
}

int volume_load_reservation(struct volume *v, const struct kept_reservation *kept)
{
    size_t bytes = sizeof(*kept) + kept->count * sizeof(kept->list[0]);
    v->kept_reservation = malloc(bytes);
    if (v->kept_reservation == NULL)
        return -ENOMEM;
    memcpy(v->kept_reservation, kept, bytes);
    return 0;
}
