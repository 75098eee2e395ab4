/* SPDX-License-Identifier: Apache-2.0 */
/* Random reads, writes, syncs and punches that do not overlap, many at once, through each
 * disk engine, against an image in memory; through the page cache and around it. */
#include "tests/unit/lunmgr/engine_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define STRESS_DEPTH     64
#define STRESS_IO_COUNT  5000
#define STRESS_BLOCK_MAX 32

struct stress_job {
    struct job job;
    struct stress *stress;
    uint8_t *data; /* STRESS_BLOCK_MAX blocks */
    struct iovec iov[STRESS_BLOCK_MAX];
    unsigned block, block_count;
};

struct stress {
    struct rig *rig;
    uint64_t random;
    uint8_t *image;
    bool busy[BLOCK_COUNT];
    struct stress_job jobs[STRESS_DEPTH];
    unsigned started, ended;
};

static unsigned stress_random(struct stress *s, unsigned below)
{
    s->random = s->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)((s->random >> 33) % below);
}

/* A range that nothing in flight touches. */
static bool stress_claim(struct stress *s, struct stress_job *j)
{
    j->block_count = 1 + stress_random(s, STRESS_BLOCK_MAX);
    j->block = stress_random(s, BLOCK_COUNT - j->block_count + 1);
    for (unsigned i = 0; i < j->block_count; i++) {
        if (s->busy[j->block + i])
            return false;
    }
    memset(&s->busy[j->block], 1, j->block_count);
    return true;
}

/* Cuts the range into pieces of whole blocks that lie apart in reverse order. */
static void stress_scatter(struct stress *s, struct stress_job *j)
{
    unsigned left = j->block_count;
    j->job.io.iov_count = 0;
    while (left > 0) {
        unsigned piece = 1 + stress_random(s, left);
        left -= piece;
        j->iov[j->job.io.iov_count++] = (struct iovec){
            .iov_base = j->data + (size_t)left * BLOCK, .iov_len = (size_t)piece * BLOCK};
    }
}

static void stress_copy(struct stress_job *j, bool to_image)
{
    uint8_t *at = j->stress->image + (size_t)j->block * BLOCK;
    unsigned left = j->block_count;
    /* A short transfer may have changed the entries: the cuts are found from the data. */
    for (int i = 0; i < j->job.io.iov_count; i++) {
        unsigned end = left;
        left = (unsigned)(((uint8_t *)j->iov[i].iov_base - j->data) / BLOCK);
        size_t bytes = (size_t)(end - left) * BLOCK;
        if (to_image)
            memcpy(at, j->iov[i].iov_base, bytes);
        else
            assert_memory_equal(at, j->iov[i].iov_base, bytes);
        at += bytes;
    }
}

static void stress_done(struct engine_io *io, int rc);

static void stress_start(struct stress *s, struct stress_job *j)
{
    unsigned dice = stress_random(s, 100);
    j->stress = s;
    j->job.io = (struct engine_io){.fd = s->rig->fd, .done = stress_done, .iov = j->iov};
    if (dice < 4 || !stress_claim(s, j)) {
        j->job.io.op = ENGINE_SYNC;
        j->block_count = 0;
    } else {
        j->job.io.offset_bytes = (uint64_t)j->block * BLOCK;
        j->job.io.length_bytes = (uint64_t)j->block_count * BLOCK;
        stress_scatter(s, j);
        j->job.io.op = dice < 10 ? ENGINE_PUNCH : dice < 55 ? ENGINE_WRITE : ENGINE_READ;
    }
    if (j->job.io.op == ENGINE_WRITE) {
        rig_fill(j->data, (size_t)j->block_count * BLOCK, s->started);
        stress_copy(j, true);
    }
    s->started++;
    j->job.io.in_memory = s->rig->in_memory;
    engine_submit(s->rig->engine, &j->job.io);
}

static void stress_done(struct engine_io *io, int rc)
{
    struct stress_job *j = container_of(io, struct stress_job, job.io);
    struct stress *s = j->stress;
    uint8_t *image = s->image + (size_t)j->block * BLOCK;
    if (io->op == ENGINE_PUNCH && rc == 0)
        memset(image, 0, (size_t)j->block_count * BLOCK);
    else if (io->op != ENGINE_PUNCH || rc != -EOPNOTSUPP)
        assert_int_equal(rc, 0);
    if (io->op == ENGINE_READ)
        stress_copy(j, false);
    if (io->op != ENGINE_SYNC)
        memset(&s->busy[j->block], 0, j->block_count);
    s->ended++;
    if (s->started < STRESS_IO_COUNT)
        stress_start(s, j);
}

static void stress_fini(struct stress *s)
{
    for (size_t i = 0; i < STRESS_DEPTH; i++)
        free(s->jobs[i].data);
    free(s->image);
    free(s);
}

static void stress_run(struct rig *rig)
{
    struct stress *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    s->rig = rig;
    s->random = 4711;
    s->image = calloc(1, FILE_BYTES);
    assert_non_null(s->image);
    for (size_t i = 0; i < STRESS_DEPTH; i++) {
        s->jobs[i].data = aligned_alloc(BLOCK, (size_t)STRESS_BLOCK_MAX * BLOCK);
        assert_non_null(s->jobs[i].data);
        stress_start(s, &s->jobs[i]);
    }
    while (s->ended < s->started)
        loop_run_once(rig->loop, true);
    assert_int_equal(s->ended, STRESS_IO_COUNT);
    uint8_t *got = aligned_alloc(BLOCK, FILE_BYTES);
    assert_non_null(got);
    assert_int_equal(pread(rig->fd, got, FILE_BYTES, 0), FILE_BYTES);
    assert_memory_equal(got, s->image, FILE_BYTES);
    free(got);
    stress_fini(s);
}

static void random_ios_match_an_image_in_memory(void **state)
{
    stress_run(rig_of(state));
}

static void random_direct_ios_match_an_image_in_memory(void **state)
{
    struct rig *rig = rig_of(state);
    int flags = fcntl(rig->fd, F_GETFL);
    if (fcntl(rig->fd, F_SETFL, flags | O_DIRECT) != 0)
        skip(); /* not on this file system */
    stress_run(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ALL(random_ios_match_an_image_in_memory),
        ON_ALL(random_direct_ios_match_an_image_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
