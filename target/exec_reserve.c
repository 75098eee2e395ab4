/* SPDX-License-Identifier: Apache-2.0 */
/* PERSISTENT RESERVE IN and OUT (SPC-4, 6.15 and 6.16), RESERVE and RELEASE of 6 and 10
 * bytes (SPC-2). What there is to know this reactor knows; what changes it goes by
 * reserve.h. On the reactor's thread. */
#include "target/exec_ops.h"
#include "target/reserve.h"
#include "target/unit.h"

enum exec_result exec_pr_in_prepare(struct task *t)
{
    struct cdb_pr_in in;
    if (cdb_pr_in_decode(t->cdb, &in, &t->sense) != 0)
        return exec_check(t);
    t->buffer_bytes = in.alloc_bytes;
    return EXEC_PENDING;
}

enum exec_result exec_pr_in(struct task *t)
{
    struct cdb_pr_in in;
    struct wire w;
    if (cdb_pr_in_decode(t->cdb, &in, &t->sense) != 0)
        return exec_check(t);
    exec_reply_init(t, in.alloc_bytes, &w);
    reservation_read(unit_reservation(t->lu->unit, t->nexus->reactor), in.action, &w);
    return exec_reply(t, &w);
}

/* The list is wanted whole: none of its lengths is 0. */
enum exec_result exec_pr_out_prepare(struct task *t)
{
    struct cdb_pr_out out;
    if (cdb_pr_out_decode(t->cdb, &out, &t->sense) != 0)
        return exec_check(t);
    return exec_want_list(t, out.list_bytes);
}

static void reserve_on_done(struct task *t, enum sam_status status,
                            const struct sense *sense)
{
    t->status = status;
    if (status == SAM_CHECK_CONDITION) {
        t->sense = *sense;
        (void)exec_check(t);
    }
    if (status == SAM_GOOD)
        t->transfer_bytes = t->data_out_bytes;
    task_done(t);
}

static enum exec_result reserve_ask(struct task *t,
                                    const struct reservation_request *request)
{
    if (reserve_start(t, request, reserve_on_done) == 0)
        return EXEC_PENDING;
    t->status = SAM_BUSY;
    return EXEC_DONE;
}

enum exec_result exec_pr_out(struct task *t)
{
    struct cdb_pr_out out;
    struct pr_list list;
    if (cdb_pr_out_decode(t->cdb, &out, &t->sense) != 0 ||
        pr_list_decode(&out, t->buffer.base, t->data_out_received_bytes, &list,
                       &t->sense) != 0)
        return exec_check(t);
    const struct reservation_request request = {
        .change = RESERVATION_PR_OUT,
        .cdb = &out,
        .list = &list,
        .port_tags = t->nexus->port_tags,
        .port_count = t->nexus->port_count,
    };
    return reserve_ask(t, &request);
}

enum exec_result exec_reserve(struct task *t)
{
    return reserve_ask(t, &(struct reservation_request){.change = RESERVATION_RESERVE});
}

enum exec_result exec_release(struct task *t)
{
    return reserve_ask(t, &(struct reservation_request){.change = RESERVATION_RELEASE});
}
