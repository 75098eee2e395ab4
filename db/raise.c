/* SPDX-License-Identifier: Apache-2.0 */
/* Two transactions with the devices' writes between them. */
#include "db/raise.h"

#include "db/catalog.h"

#include <stdlib.h>

struct raised {
    uint32_t no;
    uint64_t generation;
};

struct raise {
    const struct catalog_hooks *hooks;
    struct err *e;
    struct raised *devices;
    size_t count, room;
};

static int raise_note(const struct device_row *row, void *arg)
{
    struct raise *r = arg;
    if (!r->hooks->can_stamp(r->hooks->arg, row->no))
        return 0;
    if (r->count == r->room) {
        size_t room = r->room == 0 ? 16 : 2 * r->room;
        struct raised *grown = realloc(r->devices, room * sizeof(struct raised));
        if (grown == NULL)
            return err_oom(r->e);
        r->devices = grown;
        r->room = room;
    }
    uint64_t next = (row->generation + 2) / 2 * 2;
    r->devices[r->count++] = (struct raised){.no = row->no, .generation = next};
    return 0;
}

/* less: 1 while the superblocks are not known to have it. */
static int raise_store(struct catalog_txn *txn, const struct raise *r, uint64_t less,
                       struct err *e)
{
    int rc = txn_set_durable(txn, true, e);
    if (rc == 0)
        rc = txn_exec(txn, "BEGIN IMMEDIATE", e);
    for (size_t i = 0; rc == 0 && i < r->count; i++)
        rc = device_row_set_generation(txn, r->devices[i].no,
                                       r->devices[i].generation - less, e);
    if (rc == 0)
        rc = txn_exec(txn, "COMMIT", e);
    if (rc != 0)
        txn_rollback(txn);
    return rc;
}

/* Forgets those that did not take it. */
static void raise_stamp(struct raise *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->count; i++)
        if (r->hooks->stamp(r->hooks->arg, r->devices[i].no, r->devices[i].generation) ==
            0)
            r->devices[kept++] = r->devices[i];
    r->count = kept;
}

int raise_devices(struct catalog_txn *txn, const struct catalog_hooks *hooks,
                  struct err *e)
{
    struct raise r = {.hooks = hooks, .e = e};
    int rc = device_row_each(txn, raise_note, &r, e);
    if (rc == 0 && r.count > 0)
        rc = raise_store(txn, &r, 1, e);
    if (rc == 0 && r.count > 0) {
        raise_stamp(&r);
        rc = raise_store(txn, &r, 0, e);
    }
    free(r.devices);
    return rc;
}
