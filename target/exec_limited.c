/* SPDX-License-Identifier: Apache-2.0 */
/* Which commands the limits of volumes and hosts are for, and how much each of them is.
 * On the reactor's thread. */
#include "target/exec_ops.h"

/* What reads, writes, compares or unmaps blocks is one command, whatever its size. Its
 * bytes are those of the blocks that it has the volume move: an UNMAP, or a WRITE SAME of
 * zeros, moves none. A flush moves what has been paid for. */
bool exec_is_limited(const struct task *t, uint64_t *bytes)
{
    *bytes = t->exec.vio.length_bytes;
    switch (t->exec.op->id) {
    case CDB_READ_6:
    case CDB_READ_10:
    case CDB_READ_12:
    case CDB_READ_16:
    case CDB_WRITE_6:
    case CDB_WRITE_10:
    case CDB_WRITE_12:
    case CDB_WRITE_16:
    case CDB_WRITE_ATOMIC_16:
    case CDB_ORWRITE_16:
    case CDB_COMPARE_WRITE:
    case CDB_WRITE_VERIFY_10:
    case CDB_WRITE_VERIFY_12:
    case CDB_WRITE_VERIFY_16:
    case CDB_VERIFY_10:
    case CDB_VERIFY_12:
    case CDB_VERIFY_16:
        return true;
    case CDB_WRITE_SAME_10:
    case CDB_WRITE_SAME_16:
        if (exec_same_is_zero(t))
            *bytes = 0;
        return true;
    case CDB_UNMAP:
        *bytes = 0;
        return true;
    default:
        return false;
    }
}
