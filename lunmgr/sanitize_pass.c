/* SPDX-License-Identifier: Apache-2.0 */
/* One pass of a sanitize: batch by batch the words come from the catalog, where a flush
 * has put all of them; extents that lie together are one write, some writes at a time, so
 * that other volumes' I/O has its turn between them. Home loop. */
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/sanitize_priv.h"

#include "lunmgr/lane_priv.h"

#include <errno.h>
#include <string.h>

static void pass_advance(struct sanitize_pass *p);

/* ---- Words ----------------------------------------------------------------------- */

static uint64_t pass_first_key(const struct sanitize_pass *p)
{
    return leaf_key_of(extent_key(p->layer_id, 0));
}

static int pass_see_leaf(uint64_t key, const uint64_t words[LEAF_WORDS], void *arg)
{
    struct sanitize_pass *p = arg;
    uint32_t index = (uint32_t)(key - pass_first_key(p));
    if (!leaf_words_are_known(p->pool, p->layer_id, index, words))
        return -EUCLEAN;
    memcpy(&p->words[p->leaf_count * LEAF_WORDS], words, LEAF_WORDS * sizeof(words[0]));
    p->next_key = key + 1;
    return ++p->leaf_count == PASS_BATCH_LEAVES ? 1 : 0;
}

static int pass_read_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct sanitize_pass *p = container_of(job, struct sanitize_pass, job);
    uint64_t last = leaf_key_of(extent_key(p->layer_id, 0x7fffffff));
    p->leaf_count = 0;
    p->next_word = 0;
    int rc = leaf_each(txn, p->next_key, last, pass_see_leaf, p, e);
    if (rc == -EUCLEAN)
        return err_set(e, rc, NULL, "its map is damaged");
    return rc == 1 ? 0 : rc; /* 1: the batch is full */
}

static void pass_on_read(struct catalog_job *job)
{
    struct sanitize_pass *p = container_of(job, struct sanitize_pass, job);
    p->rc = job->rc;
    pass_advance(p);
}

static place pass_place(const struct sanitize_pass *p, size_t i)
{
    return i < p->leaf_count * LEAF_WORDS ? word_place(p->words[i]) : 0;
}

/* The next extents that lie together; 0: no more in this batch. */
static unsigned pass_next_run(struct sanitize_pass *p, place *first)
{
    unsigned count = 0;
    while (p->next_word < p->leaf_count * LEAF_WORDS && pass_place(p, p->next_word) == 0)
        p->next_word++;
    *first = pass_place(p, p->next_word);
    while (*first != 0 && count < PASS_RUN_EXTENTS &&
           pass_place(p, p->next_word) == *first + count) {
        count++;
        p->next_word++;
    }
    return count;
}

/* ---- Writes ---------------------------------------------------------------------- */

static void pass_on_written(struct engine_io *io, int rc)
{
    struct pass_write *w = container_of(io, struct pass_write, io);
    struct sanitize_pass *p = w->pass;
    round_note_write(w->device, p->family, rc);
    if (rc != 0)
        p->rc = -EIO;
    atomic_fetch_add(&p->progress->done, w->extents);
    w->extents = 0;
    p->writes_due--;
    pass_advance(p);
}

static void pass_write(struct sanitize_pass *p, struct pass_write *w, place first,
                       unsigned count)
{
    struct device *device = pool_device(p->pool, first);
    *w = (struct pass_write){.pass = p, .device = device, .extents = count};
    for (unsigned i = 0; i < count; i++)
        w->iov[i] = (struct iovec){.iov_base = p->content, .iov_len = EXTENT_BYTES};
    w->io = (struct engine_io){
        .op = ENGINE_WRITE,
        .fd = device->fd,
        .device = device,
        .offset_bytes = place_extent(first) * EXTENT_BYTES,
        .iov = w->iov,
        .iov_count = (int)count,
        .done = pass_on_written,
    };
    p->writes_due++;
    engine_submit(lunmgr_home_lane(p->pool->manager)->engine, &w->io);
}

static void pass_fill(struct sanitize_pass *p)
{
    for (unsigned i = 0; i < PASS_WRITES && p->rc == 0; i++) {
        place first;
        unsigned count = p->writes[i].extents == 0 ? pass_next_run(p, &first) : 0;
        if (count > 0)
            pass_write(p, &p->writes[i], first, count);
    }
}

/* ---- The way --------------------------------------------------------------------- */

static void pass_on_round(struct round_wait *wait)
{
    struct sanitize_pass *p = container_of(wait, struct sanitize_pass, round);
    p->done(p, wait->rc);
}

static void pass_advance(struct sanitize_pass *p)
{
    if (p->rc == 0 && lunmgr_is_closing(p->pool->manager))
        p->rc = -ECANCELED;
    if (p->rc == 0)
        pass_fill(p);
    if (p->writes_due > 0)
        return; /* until pass_on_written() */
    if (p->rc != 0)
        p->done(p, p->rc);
    else if (p->leaf_count == PASS_BATCH_LEAVES)
        catalog_read(lunmgr_catalog(p->pool->manager), &p->job);
    else
        round_join(p->pool, &p->round);
}

void sanitize_pass_start(struct sanitize_pass *p)
{
    struct inbox *home = loop_inbox(lunmgr_home(p->pool->manager));
    p->job = (struct catalog_job){
        .reply_to = home, .work = pass_read_work, .done = pass_on_read};
    p->round =
        (struct round_wait){.inbox = home, .done = pass_on_round, .family = p->family};
    p->next_key = pass_first_key(p);
    p->writes_due = 0;
    p->rc = 0;
    catalog_read(lunmgr_catalog(p->pool->manager), &p->job);
}
