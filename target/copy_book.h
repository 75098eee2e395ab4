/* SPDX-License-Identifier: Apache-2.0 */
/* The third-party copies that an initiator may ask for by their list identifiers: those
 * that run, and of those that have ended what it may still want to know (SPC-4, 5.17.4).
 * A nexus's own; its reactor's thread. */
#ifndef TARGET_COPY_BOOK_H
#define TARGET_COPY_BOOK_H

#include "base/auto.h"
#include "proto/copy_results.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task;

struct copy_record {
    struct copy_record *next;
    uint16_t lun; /* an identifier is one of a unit's copies */
    bool lid4;
    bool has_id, keeps_results;
    uint32_t id;
    struct task *task; /* whose copy it is; NULL: it has ended */
    struct copy_state state;
    /* Ended: what has not been told yet. */
    bool has_status, has_failure, has_rod;
    uint8_t *token; /* that it has made, ROD_TOKEN_BYTES; owned. NULL: none */
};

struct copy_book {
    struct copy_record *first; /* the newest */
    size_t running, count;
};

/* None runs any more. */
void copy_book_fini(struct copy_book *book);
/* A copy begins: a record of it, its fields but `task` and the identity set by the
 * caller; what ended under its identifier is forgotten. NULL: too many run, or there is
 * no memory.
 */
struct copy_record *copy_book_begin(struct copy_book *book, uint16_t lun, bool lid4,
                                    bool has_id, uint32_t id);
/* It has ended; record->state says how. It may be gone when this returns. */
void copy_book_end(struct copy_book *book, struct copy_record *record);

/* Whether one runs that says that it alone has this identifier: SPC-4, 6.4.3.2. */
bool copy_book_has_running(const struct copy_book *book, uint16_t lun, bool lid4,
                           uint32_t id);
/* The newest of that identifier that runs, or of which something is left to tell. */
struct copy_record *copy_book_find(const struct copy_book *book, uint16_t lun, bool lid4,
                                   uint32_t id);
/* What was told to the end is not told again: SPC-4, 6.20.2. */
void copy_book_told_status(struct copy_book *book, struct copy_record *record);
void copy_book_told_failure(struct copy_book *book, struct copy_record *record);
/* The same of RECEIVE ROD TOKEN INFORMATION: SPC-4, 6.26. */
void copy_book_told_rod(struct copy_book *book, struct copy_record *record);
/* A reset, or the loss of the nexus: what has ended is forgotten, what runs will be. */
void copy_book_forget(struct copy_book *book, uint16_t lun);

#endif
