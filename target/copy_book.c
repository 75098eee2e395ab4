/* SPDX-License-Identifier: Apache-2.0 */
/* A short list, the newest first. */
#include "target/copy_book.h"

#include "proto/ext_copy.h"

#include <assert.h>
#include <stdlib.h>

static bool record_is(const struct copy_record *r, uint16_t lun, bool lid4, uint32_t id)
{
    return r->has_id && r->lun == lun && r->lid4 == lid4 && r->id == id;
}

static void record_remove(struct copy_book *book, struct copy_record **at)
{
    struct copy_record *r = *at;
    assert(r->task == NULL);
    *at = r->next;
    book->count--;
    free(r->token);
    free(r);
}

static struct copy_record **record_place(struct copy_book *book,
                                         const struct copy_record *record)
{
    struct copy_record **at = &book->first;
    while (*at != record)
        at = &(*at)->next;
    return at;
}

void copy_book_fini(struct copy_book *book)
{
    while (book->first != NULL)
        record_remove(book, &book->first);
}

void copy_book_forget(struct copy_book *book, uint16_t lun)
{
    struct copy_record **at = &book->first;
    while (*at != NULL) {
        struct copy_record *r = *at;
        r->keeps_results = r->keeps_results && r->lun != lun;
        if (r->task == NULL && r->lun == lun)
            record_remove(book, at);
        else
            at = &r->next;
    }
}

static void book_forget_id(struct copy_book *book, uint16_t lun, bool lid4, uint32_t id)
{
    struct copy_record **at = &book->first;
    while (*at != NULL) {
        if ((*at)->task == NULL && record_is(*at, lun, lid4, id))
            record_remove(book, at);
        else
            at = &(*at)->next;
    }
}

/* The oldest that has ended makes room. */
static void book_make_room(struct copy_book *book)
{
    struct copy_record **oldest = NULL;
    for (struct copy_record **at = &book->first; *at != NULL; at = &(*at)->next) {
        if ((*at)->task == NULL)
            oldest = at;
    }
    if (book->count >= EXT_COPY_CONCURRENT_MAX && oldest != NULL)
        record_remove(book, oldest);
}

struct copy_record *copy_book_begin(struct copy_book *book, uint16_t lun, bool lid4,
                                    bool has_id, uint32_t id)
{
    if (has_id)
        book_forget_id(book, lun, lid4, id);
    if (book->running >= EXT_COPY_CONCURRENT_MAX)
        return NULL;
    struct copy_record *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return NULL;
    book_make_room(book);
    r->lun = lun;
    r->lid4 = lid4;
    r->has_id = has_id;
    r->id = id;
    r->next = book->first;
    book->first = r;
    book->count++;
    book->running++;
    return r;
}

void copy_book_end(struct copy_book *book, struct copy_record *record)
{
    book->running--;
    record->task = NULL;
    record->has_status = record->has_id && record->keeps_results;
    record->has_failure = record->has_status && record->state.status != 0;
    if (!record->has_status)
        record_remove(book, record_place(book, record));
}

bool copy_book_has_running(const struct copy_book *book, uint16_t lun, bool lid4,
                           uint32_t id)
{
    for (const struct copy_record *r = book->first; r != NULL; r = r->next) {
        if (r->task != NULL && r->keeps_results && record_is(r, lun, lid4, id))
            return true;
    }
    return false;
}

struct copy_record *copy_book_find(const struct copy_book *book, uint16_t lun, bool lid4,
                                   uint32_t id)
{
    struct copy_record *r = book->first;
    while (r != NULL && !record_is(r, lun, lid4, id))
        r = r->next;
    return r;
}

static void book_drop_told(struct copy_book *book, struct copy_record *record)
{
    if (!record->has_status && !record->has_failure && !record->has_rod)
        record_remove(book, record_place(book, record));
}

void copy_book_told_status(struct copy_book *book, struct copy_record *record)
{
    if (record->task != NULL)
        return;
    record->has_status = false;
    book_drop_told(book, record);
}

void copy_book_told_failure(struct copy_book *book, struct copy_record *record)
{
    record->has_failure = false;
    book_drop_told(book, record);
}

void copy_book_told_rod(struct copy_book *book, struct copy_record *record)
{
    if (record->task != NULL)
        return;
    record->has_rod = false;
    book_drop_told(book, record);
}
