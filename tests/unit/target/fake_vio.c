/* SPDX-License-Identifier: Apache-2.0 */
/* Volume I/O in memory. It keeps to volume_io.h where a caller could rely on too much:
 * it scribbles over the scratch around a range, and zeroes only whole blocks on UNMAP. */
#include "tests/unit/target/fake_vio.h"

#include "lunmgr/pool.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

struct fake_vio fake_vio;
static struct vio *queue_head, *queue_tail;
static struct sanitize_ask *asked;
static struct copy *copying;

struct volume *fake_volume_create(uint64_t size_bytes, uint32_t block_bytes)
{
    struct volume *v = calloc(1, sizeof(*v));
    assert(v != NULL && size_bytes % BLOCK_BYTES == 0);
    *v = (struct volume){
        .pool = {.extents = 4000, .free_extents = 4000},
        .bytes = calloc(1, size_bytes),
        .size_bytes = size_bytes,
        .block_bytes = block_bytes,
        .physical_bytes = BLOCK_BYTES,
        .naa = {0x6a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
        .serial = "0123456789abcdef",
        .refs = 1,
    };
    assert(v->bytes != NULL);
    return v;
}

void volume_get(struct volume *v)
{
    v->refs++;
}

void volume_put(struct volume *v)
{
    assert(v->refs > 0);
    if (--v->refs > 0)
        return;
    free(v->bytes);
    free(v);
}

uint64_t volume_size_bytes(const struct volume *v)
{
    return v->size_bytes;
}

uint32_t volume_block_bytes(const struct volume *v)
{
    return v->block_bytes;
}

uint32_t volume_physical_bytes(const struct volume *v)
{
    return v->physical_bytes;
}

const struct qos *volume_qos(const struct volume *volume)
{
    return &volume->qos;
}

bool volume_saved_modes(const struct volume *v, struct modes *out)
{
    if (v->has_saved_modes)
        *out = v->saved_modes;
    return v->has_saved_modes;
}

const struct kept_reservation *volume_kept_reservation(const struct volume *v)
{
    return v->kept;
}

struct pool *volume_pool(const struct volume *v)
{
    return (struct pool *)&v->pool;
}

uint64_t volume_used_extents(const struct volume *v)
{
    return v->used_extents;
}

uint64_t volume_available_extents(const struct volume *v, uint64_t free_extents)
{
    (void)v;
    return free_extents;
}

uint64_t pool_free_bytes(const struct pool *pool)
{
    return pool->free_extents * EXTENT_BYTES;
}

uint64_t pool_extents(const struct pool *pool)
{
    return pool->extents;
}

const uint8_t *volume_naa(const struct volume *v)
{
    return v->naa;
}

const char *volume_serial(const struct volume *v)
{
    return v->serial;
}

void fake_vio_reset(void)
{
    assert(queue_head == NULL);
    fake_vio = (struct fake_vio){0};
}

void vio_give_up(struct vio *vio)
{
    vio->p.given_up = true;
}

void vio_submit(struct vio *vio)
{
    assert(vio->lane != NULL && vio->done != NULL && vio->p.next == NULL);
    assert(vio->offset_bytes % SECTOR_BYTES == 0 &&
           vio->length_bytes % SECTOR_BYTES == 0);
    if (vio->op != VIO_FLUSH) {
        assert(vio->length_bytes > 0);
        assert(vio->offset_bytes + vio->length_bytes <= vio->volume->size_bytes);
    }
    if (vio->op == VIO_COMPARE_WRITE)
        assert(vio->halves != NULL && vio->length_bytes <= VIO_ATOMIC_BYTES_MAX);
    if (vio->op == VIO_READ || vio->op == VIO_WRITE || vio->op == VIO_OR ||
        vio->op == VIO_COMPARE_WRITE) {
        assert(vio->length_bytes <= VIO_BYTES_MAX);
        assert((uintptr_t)vio->data % BUF_ALIGN == 0);
    }
    if (vio->atomic) {
        assert(vio->op == VIO_WRITE && vio->length_bytes <= VIO_ATOMIC_BYTES_MAX);
        assert(vio->offset_bytes % BLOCK_BYTES == 0);
        assert(vio->length_bytes % BLOCK_BYTES == 0);
    }
    assert(fake_vio.count < FAKE_VIO_SEEN_MAX);
    fake_vio.seen[fake_vio.count++] =
        (struct fake_vio_seen){vio->op,     vio->fua,          vio->may_unmap,
                               vio->atomic, vio->offset_bytes, vio->length_bytes};
    if (queue_head == NULL)
        queue_head = vio;
    else
        queue_tail->p.next = vio;
    queue_tail = vio;
}

/* What lies around the range in its first and last block is not the caller's. */
static void fake_scribble(const struct vio *vio)
{
    size_t head = vio->offset_bytes % BLOCK_BYTES;
    size_t all = vio_buffer_bytes(vio->offset_bytes, vio->length_bytes);
    memset(vio->data, 0xee, head);
    memset(vio->data + head + vio->length_bytes, 0xee, all - head - vio->length_bytes);
}

/* Nor is what an OR has behind its data. */
static void fake_scribble_half(const struct vio *vio)
{
    size_t half = vio_buffer_bytes(vio->offset_bytes, vio->length_bytes);
    memset(vio->data + half, 0xee, half);
}

/* All of its data is scratch. */
static int fake_compare_write(struct vio *vio)
{
    uint8_t *to = vio->volume->bytes + vio->offset_bytes;
    memset(vio->data, 0xee, vio_buffer_bytes(vio->offset_bytes, vio->length_bytes));
    vio->differs_at_bytes = 0;
    while (vio->differs_at_bytes < vio->length_bytes &&
           to[vio->differs_at_bytes] == vio->halves[vio->differs_at_bytes])
        vio->differs_at_bytes++;
    if (vio->differs_at_bytes < vio->length_bytes)
        return -EILSEQ;
    memcpy(to, vio->halves + vio->length_bytes, vio->length_bytes);
    return 0;
}

static void fake_unmap(struct volume *v, uint64_t offset, uint64_t length)
{
    uint64_t first = (offset + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    uint64_t end = (offset + length) / BLOCK_BYTES * BLOCK_BYTES;
    if (first < end)
        memset(v->bytes + first, 0, end - first);
}

static void fake_or(const struct vio *vio)
{
    uint8_t *to = vio->volume->bytes + vio->offset_bytes;
    const uint8_t *data = vio->data + vio->offset_bytes % BLOCK_BYTES;
    for (uint64_t i = 0; i < vio->length_bytes; i++)
        to[i] |= data[i];
}

/* Mapped: every extent of this fake volume with an odd number. */
static void fake_status(struct vio *vio)
{
    uint64_t at = vio->offset_bytes / BLOCK_BYTES * BLOCK_BYTES;
    uint64_t end = vio->offset_bytes + vio->length_bytes;
    vio->status_count = 0;
    while (at < end && vio->status_count < vio->status_max) {
        uint64_t next = (at / EXTENT_BYTES + 1) * EXTENT_BYTES;
        vio->status[vio->status_count++] =
            (struct vio_status){at, next - at, at / EXTENT_BYTES % 2 == 1};
        at = next;
    }
}

static int fake_do(struct vio *vio)
{
    struct volume *v = vio->volume;
    switch (vio->op) {
    case VIO_READ:
        fake_scribble(vio);
        memcpy(vio->data + vio->offset_bytes % BLOCK_BYTES, v->bytes + vio->offset_bytes,
               vio->length_bytes);
        break;
    case VIO_WRITE:
        fake_scribble(vio);
        if (fake_vio.loses_writes)
            break;
        memcpy(v->bytes + vio->offset_bytes, vio->data + vio->offset_bytes % BLOCK_BYTES,
               vio->length_bytes);
        break;
    case VIO_OR:
        fake_scribble(vio);
        fake_scribble_half(vio);
        fake_or(vio);
        break;
    case VIO_COMPARE_WRITE:
        return fake_compare_write(vio);
    case VIO_UNMAP:
        fake_unmap(v, vio->offset_bytes, vio->length_bytes);
        break;
    case VIO_ZERO:
        memset(v->bytes + vio->offset_bytes, 0, vio->length_bytes);
        break;
    case VIO_FLUSH:
    case VIO_INNER:
        break;
    case VIO_STATUS:
        fake_status(vio);
        break;
    }
    return 0;
}

enum sanitize_state volume_sanitize_state(const struct volume *v, uint16_t *progress)
{
    (void)v;
    if (progress != NULL)
        *progress = fake_vio.sanitize_progress;
    return fake_vio.sanitize_state;
}

void sanitize_start(struct sanitize_ask *ask)
{
    assert(ask->lane != NULL && ask->volume != NULL && ask->is_given_up != NULL);
    assert(asked == NULL);
    asked = ask;
    fake_vio.sanitize_count++;
    fake_vio.sanitize_seen = *ask;
    if (ask->spec.pattern_bytes > 0)
        memcpy(fake_vio.sanitize_pattern, ask->spec.pattern, ask->spec.pattern_bytes);
}

void copy_start(struct copy *c)
{
    assert(copying == NULL && c->lane != NULL && c->done != NULL);
    assert(c->from_bytes % SECTOR_BYTES == 0 && c->to_bytes % SECTOR_BYTES == 0);
    assert(c->length_bytes % SECTOR_BYTES == 0 && c->length_bytes > 0);
    assert(c->from_bytes + c->length_bytes <= c->from->size_bytes);
    assert(c->to_bytes + c->length_bytes <= c->to->size_bytes);
    assert(c->from != c->to || c->from_bytes + c->length_bytes <= c->to_bytes ||
           c->to_bytes + c->length_bytes <= c->from_bytes);
    copying = c;
    c->p.stopping = false;
    c->copied_bytes = c->shared_bytes = 0;
    fake_vio.copy_count++;
    fake_vio.copy_bytes += c->length_bytes;
}

void copy_stop(struct copy *c)
{
    assert(c == copying);
    c->p.stopping = true;
}

static bool fake_copy(void)
{
    struct copy *c = copying;
    if (c == NULL)
        return false;
    bool fails = fake_vio.copy_fail_nth > 0 && --fake_vio.copy_fail_nth == 0;
    c->copied_bytes = c->length_bytes / 2 / SECTOR_BYTES * SECTOR_BYTES;
    if (fake_vio.on_copy != NULL)
        fake_vio.on_copy(fake_vio.on_copy_arg);
    int rc = c->p.stopping ? -ECANCELED : fails ? fake_vio.copy_fail_rc : 0;
    if (rc == 0)
        c->copied_bytes = c->length_bytes;
    memcpy(c->to->bytes + c->to_bytes, c->from->bytes + c->from_bytes, c->copied_bytes);
    copying = NULL;
    c->done(c, rc);
    return true;
}

static void fake_sanitize(void)
{
    struct sanitize_ask *ask = asked;
    asked = NULL;
    if (ask != NULL)
        ask->done(ask, fake_vio.sanitize_rc);
}

static bool fake_next(void)
{
    struct vio *vio = queue_head;
    if (vio == NULL)
        return fake_copy();
    queue_head = vio->p.next;
    vio->p.next = NULL;
    if (fake_vio.fail_nth > 0 && --fake_vio.fail_nth == 0) {
        vio->done(vio, fake_vio.fail_rc);
        return true;
    }
    if (vio->op == VIO_FLUSH && fake_vio.on_flush != NULL)
        fake_vio.on_flush(fake_vio.on_flush_arg);
    vio->done(vio, fake_do(vio));
    return true;
}

void fake_vio_run(void)
{
    fake_sanitize();
    while (fake_next())
        ;
}
