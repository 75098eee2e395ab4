/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-copies: sessions, a thread each, that write, zero and read at random and have
 * ranges copied (EXTENDED COPY) inside of and between two LUNs. The LUNs are cut into
 * chunks that the sessions own in turn, so that neighbours share extents and no sectors;
 * what each sector must hold is known exactly, and every byte that is read is held
 * against it, at the end all of them. Usage:
 *   ashlar-copies INITIATOR URL LUN SESSIONS SECONDS CHUNK_SECTORS SEED [errs]
 * URL has the first LUN. errs: the last sector of a copy is not taken note of, to show
 * that it would be seen. Prints what was done. Exit 0, 1: wrong data, 2: a command
 * failed.
 */
#include "tests/lib/copy_list.h"
#include "tests/protocol/pattern.h"

#include <inttypes.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECTOR         512U
#define IO_SECTORS     512U
#define SEGMENTS_MAX   4
#define ATTEMPTS_MAX   100
#define EXTENT_SECTORS 128U
#define LUNS           2

struct unit {
    int lun;
    uint64_t sectors;
    uint8_t naa[16];
    uint8_t *holds; /* each session its own sectors */
};

struct work {
    const char *initiator, *url;
    unsigned sessions, seconds, chunk_sectors;
    uint64_t seed;
    bool errs;
    struct unit units[LUNS];
    atomic_uint_fast64_t copies, copied_sectors, writes, reads;
    atomic_int exit_code;
    time_t end;
};

struct session {
    struct work *work;
    unsigned index;
    pthread_t thread;
    struct iscsi_context *iscsi;
    uint64_t random;
    uint32_t generation;
    uint8_t data[IO_SECTORS * SECTOR];
};

static uint64_t draw(struct session *s, uint64_t below)
{
    s->random = s->random * 6364136223846793005u + 1442695040888963407u;
    return (s->random >> 33) % below;
}

static void fail(struct session *s, int code, const char *what, const char *why)
{
    fprintf(stderr, "ashlar-copies: session %u: %s: %s\n", s->index, what, why);
    atomic_store(&s->work->exit_code, code);
}

static struct iscsi_context *login(const char *initiator, const char *text, unsigned isid,
                                   int *lun)
{
    struct iscsi_context *iscsi = iscsi_create_context(initiator);
    struct iscsi_url *url = iscsi == NULL ? NULL : iscsi_parse_full_url(iscsi, text);
    if (url == NULL)
        return NULL;
    *lun = url->lun;
    iscsi_set_targetname(iscsi, url->target);
    iscsi_set_session_type(iscsi, ISCSI_SESSION_NORMAL);
    iscsi_set_isid_random(iscsi, isid, 0);
    iscsi_set_noautoreconnect(iscsi, 1);
    bool good =
        iscsi_connect_sync(iscsi, url->portal) == 0 && iscsi_login_sync(iscsi) == 0;
    iscsi_destroy_url(url);
    return good ? iscsi : NULL;
}

/* ---- Commands ------------------------------------------------------------------------
 */

static bool is_again(const struct scsi_task *task)
{
    return task->status == SCSI_STATUS_BUSY ||
           task->status == SCSI_STATUS_TASK_SET_FULL ||
           (task->status == SCSI_STATUS_CHECK_CONDITION &&
            task->sense.key == SCSI_SENSE_UNIT_ATTENTION);
}

/* cdb: 16 bytes. dir and data as the command has them. The task is the caller's if it is
 * GOOD; else NULL, and it has been told. */
static struct scsi_task *command(struct session *s, int lun, const uint8_t *cdb, int dir,
                                 uint8_t *out, size_t bytes)
{
    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        struct scsi_task *task = calloc(1, sizeof(*task));
        struct iscsi_data data = {.size = bytes, .data = out};
        if (task == NULL)
            break;
        memcpy(task->cdb, cdb, 16);
        task->cdb_size = 16;
        task->xfer_dir = dir;
        task->expxferlen = (int)bytes;
        if (iscsi_scsi_command_sync(s->iscsi, lun, task,
                                    dir == SCSI_XFER_WRITE ? &data : NULL) == NULL) {
            fail(s, 2, "no answer", iscsi_get_error(s->iscsi));
            return NULL;
        }
        if (task->status == SCSI_STATUS_GOOD)
            return task;
        if (!is_again(task)) {
            char why[80];
            snprintf(why, sizeof(why), "status %d, sense %x/%04x", task->status,
                     task->sense.key, (unsigned)task->sense.ascq);
            fail(s, 2, "a command", why);
            scsi_free_scsi_task(task);
            return NULL;
        }
        scsi_free_scsi_task(task);
    }
    fail(s, 2, "a command", "again and again");
    return NULL;
}

static bool done(struct scsi_task *task)
{
    if (task != NULL)
        scsi_free_scsi_task(task);
    return task != NULL;
}

static void cdb_of_range(uint8_t cdb[16], uint8_t opcode, uint64_t lba, uint64_t count)
{
    memset(cdb, 0, 16);
    cdb[0] = opcode;
    copy_list_be(cdb + 2, 8, lba);
    copy_list_be(cdb + 10, 4, count);
}

/* ---- Work on the sectors that a session owns ------------------------------------------
 */

struct range {
    unsigned unit;
    uint64_t first, count;
};

/* Half of those that are long enough are whole extents. */
static struct range draw_range(struct session *s, uint64_t most)
{
    const struct work *w = s->work;
    struct range r = {.unit = (unsigned)draw(s, LUNS)};
    uint64_t own = w->units[r.unit].sectors / w->chunk_sectors / w->sessions;
    uint64_t begin = (draw(s, own) * w->sessions + s->index) * w->chunk_sectors;
    uint64_t at = draw(s, w->chunk_sectors);
    uint64_t count = 1 + draw(s, w->chunk_sectors - at);
    uint64_t aligned = (begin + EXTENT_SECTORS - 1) / EXTENT_SECTORS * EXTENT_SECTORS;
    if (draw(s, 2) == 0 && aligned + EXTENT_SECTORS <= begin + w->chunk_sectors) {
        at = aligned - begin;
        count = (w->chunk_sectors - at) / EXTENT_SECTORS * EXTENT_SECTORS;
    }
    r.first = begin + at;
    r.count = count < most ? count : most;
    return r;
}

static uint8_t *holds(const struct session *s, const struct range *r)
{
    return s->work->units[r->unit].holds + r->first * SECTOR;
}

static bool do_write(struct session *s)
{
    struct range r = draw_range(s, IO_SECTORS);
    const struct unit *u = &s->work->units[r.unit];
    uint8_t cdb[16];
    for (uint64_t i = 0; i < r.count; i++) {
        struct tag tag = {.lba = r.first + i,
                          .lun = (uint32_t)u->lun,
                          .owner = s->index,
                          .generation = ++s->generation,
                          .seed = (uint32_t)s->work->seed};
        pattern_fill(s->data + i * SECTOR, SECTOR, &tag);
    }
    memcpy(holds(s, &r), s->data, r.count * SECTOR);
    cdb_of_range(cdb, 0x8a, r.first, r.count);
    atomic_fetch_add(&s->work->writes, 1);
    return done(command(s, u->lun, cdb, SCSI_XFER_WRITE, s->data, r.count * SECTOR));
}

static bool do_zero(struct session *s)
{
    struct range r = draw_range(s, UINT32_MAX);
    uint8_t cdb[16];
    memset(holds(s, &r), 0, r.count * SECTOR);
    cdb_of_range(cdb, 0x93, r.first, r.count);
    cdb[1] = 0x09; /* UNMAP, NDOB */
    return done(command(s, s->work->units[r.unit].lun, cdb, SCSI_XFER_NONE, NULL, 0));
}

static bool check(struct session *s, const struct range *r, const uint8_t *data)
{
    const uint8_t *want = holds(s, r);
    for (uint64_t i = 0; i < r->count; i++) {
        if (memcmp(data + i * SECTOR, want + i * SECTOR, SECTOR) == 0)
            continue;
        char is[160], should[160], what[256];
        pattern_describe(data + i * SECTOR, SECTOR, is, sizeof(is));
        pattern_describe(want + i * SECTOR, SECTOR, should, sizeof(should));
        snprintf(what, sizeof(what), "lun %d sector %" PRIu64 " is %s, not",
                 s->work->units[r->unit].lun, r->first + i, is);
        fail(s, 1, what, should);
        return false;
    }
    return true;
}

static bool read_range(struct session *s, const struct range *r)
{
    uint8_t cdb[16];
    cdb_of_range(cdb, 0x88, r->first, r->count);
    struct scsi_task *task = command(s, s->work->units[r->unit].lun, cdb, SCSI_XFER_READ,
                                     NULL, r->count * SECTOR);
    if (task == NULL)
        return false;
    bool good = (uint64_t)task->datain.size == r->count * SECTOR &&
                check(s, r, task->datain.data);
    atomic_fetch_add(&s->work->reads, 1);
    return done(task) && good;
}

static bool do_read(struct session *s)
{
    struct range r = draw_range(s, IO_SECTORS);
    return read_range(s, &r);
}

static void note_copy(struct session *s, const struct range *from, const struct range *to)
{
    uint64_t count = to->count - (s->work->errs ? 1 : 0);
    memmove(holds(s, to), holds(s, from), count * SECTOR);
    atomic_fetch_add(&s->work->copied_sectors, to->count);
}

static bool do_copy(struct session *s)
{
    const struct work *w = s->work;
    struct copy_list list;
    uint64_t segments = 1 + draw(s, SEGMENTS_MAX);
    if (draw(s, 2) == 0)
        copy_list_begin(&list, 1, 2);
    else
        copy_list_begin_lid4(&list, s->generation, 0, false);
    for (unsigned i = 0; i < LUNS; i++)
        copy_list_unit(&list, w->units[i].naa, SECTOR);
    for (uint64_t i = 0; i < segments; i++) {
        struct range from = draw_range(s, UINT16_MAX), to = draw_range(s, UINT16_MAX);
        from.count = to.count = from.count < to.count ? from.count : to.count;
        copy_list_segment(&list, (uint16_t)from.unit, (uint16_t)to.unit,
                          (uint16_t)from.count, from.first, to.first);
        note_copy(s, &from, &to);
    }
    uint8_t cdb[16] = {0x83, list.lid4};
    copy_list_be(cdb + 10, 4, list.at);
    atomic_fetch_add(&s->work->copies, 1);
    return done(command(s, w->units[draw(s, LUNS)].lun, cdb, SCSI_XFER_WRITE, list.bytes,
                        list.at));
}

static bool read_all(struct session *s)
{
    const struct work *w = s->work;
    bool good = true;
    for (unsigned u = 0; u < LUNS; u++) {
        uint64_t chunks = w->units[u].sectors / w->chunk_sectors;
        chunks -= chunks % w->sessions;
        for (uint64_t c = s->index; good && c < chunks; c += w->sessions)
            for (uint64_t at = 0; good && at < w->chunk_sectors; at += IO_SECTORS) {
                uint64_t left = w->chunk_sectors - at;
                struct range r = {u, c * w->chunk_sectors + at,
                                  left < IO_SECTORS ? left : IO_SECTORS};
                good = read_range(s, &r);
            }
    }
    return good;
}

static void *session_run(void *arg)
{
    struct session *s = arg;
    struct work *w = s->work;
    int lun;
    bool good = true;
    s->iscsi = login(w->initiator, w->url, s->index + 1, &lun);
    if (s->iscsi == NULL) {
        fail(s, 2, "login", "refused");
        return NULL;
    }
    while (good && time(NULL) < w->end && atomic_load(&w->exit_code) == 0) {
        uint64_t what = draw(s, 100);
        good = what < 35   ? do_copy(s)
               : what < 65 ? do_write(s)
               : what < 72 ? do_zero(s)
                           : do_read(s);
    }
    if (good && atomic_load(&w->exit_code) == 0)
        (void)read_all(s);
    iscsi_logout_sync(s->iscsi);
    iscsi_destroy_context(s->iscsi);
    return NULL;
}

/* ---- The units ------------------------------------------------------------------------
 */

/* Its size and its NAA name; false: it does not tell them. */
static bool look_at(struct session *s, struct unit *u)
{
    uint8_t capacity[16] = {0x9e, 0x10, [13] = 32};
    uint8_t names[16] = {0x12, 0x01, 0x83, 0x01, 0x00};
    struct scsi_task *task = command(s, u->lun, capacity, SCSI_XFER_READ, NULL, 32);
    if (task == NULL)
        return false;
    for (unsigned i = 0; i < 8; i++)
        u->sectors = u->sectors << 8 | task->datain.data[i];
    u->sectors++;
    scsi_free_scsi_task(task);
    task = command(s, u->lun, names, SCSI_XFER_READ, NULL, 256);
    if (task == NULL)
        return false;
    bool found = false;
    for (int at = 4; !found && at + 20 <= task->datain.size;
         at += 4 + task->datain.data[at + 3]) {
        const uint8_t *d = task->datain.data + at;
        found = (d[1] & 0x3f) == 0x03 && d[3] == 16;
        if (found)
            memcpy(u->naa, d + 4, 16);
    }
    u->holds = calloc(u->sectors, SECTOR);
    return done(task) && found && u->holds != NULL;
}

static bool look_at_all(struct work *w, int second_lun)
{
    static struct session s;
    s = (struct session){.work = w};
    int lun = 0;
    s.iscsi = login(w->initiator, w->url, 0xffff, &lun);
    if (s.iscsi == NULL)
        return false;
    w->units[0].lun = lun;
    w->units[1].lun = second_lun;
    bool good = look_at(&s, &w->units[0]) && look_at(&s, &w->units[1]);
    iscsi_logout_sync(s.iscsi);
    iscsi_destroy_context(s.iscsi);
    return good;
}

int main(int argc, char **argv)
{
    static struct work w;
    if (argc < 8)
        return 64;
    w.initiator = argv[1];
    w.url = argv[2];
    w.sessions = (unsigned)strtoul(argv[4], NULL, 10);
    w.seconds = (unsigned)strtoul(argv[5], NULL, 10);
    w.chunk_sectors = (unsigned)strtoul(argv[6], NULL, 10);
    w.seed = strtoull(argv[7], NULL, 10);
    w.errs = argc > 8;
    if (w.sessions == 0 || w.chunk_sectors == 0 ||
        !look_at_all(&w, (int)strtol(argv[3], NULL, 10))) {
        fprintf(stderr, "ashlar-copies: no such units\n");
        return 2;
    }
    w.end = time(NULL) + (time_t)w.seconds;
    struct session *sessions = calloc(w.sessions, sizeof(*sessions));
    if (sessions == NULL)
        return 2;
    for (unsigned i = 0; i < w.sessions; i++) {
        sessions[i].work = &w;
        sessions[i].index = i;
        sessions[i].random = w.seed * 1000 + i;
        if (pthread_create(&sessions[i].thread, NULL, session_run, &sessions[i]) != 0)
            return 2;
    }
    for (unsigned i = 0; i < w.sessions; i++)
        pthread_join(sessions[i].thread, NULL);
    printf("copies=%" PRIuFAST64 " copied_sectors=%" PRIuFAST64 " writes=%" PRIuFAST64
           " reads=%" PRIuFAST64 "\n",
           w.copies, w.copied_sectors, w.writes, w.reads);
    free(sessions);
    for (unsigned i = 0; i < LUNS; i++)
        free(w.units[i].holds);
    return w.exit_code;
}
