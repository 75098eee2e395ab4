/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-tokens: POPULATE TOKEN and WRITE USING TOKEN by libiscsi, between two LUNs of
 * 512 byte blocks over a session each. Usage: ashlar-tokens INITIATOR URL-FROM URL-TO
 * copy ROUNDS   random ranges, written over after the token is made, are held against
 * what they held before it ashlar-tokens INITIATOR URL-FROM URL-TO forge         a token
 * with each of its bytes changed is refused and nothing is written; unchanged it is taken
 *   ashlar-tokens INITIATOR URL-FROM URL-TO make FILE [SECONDS]  a token, into the file
 *   ashlar-tokens INITIATOR URL-FROM URL-TO use FILE      it is used
 * Prints "good", or how the last command ended: "KEY ASC+ASCQ" in hex. One thread. */
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK          512U
#define TOKEN_BYTES    512U
#define RANGES_MAX     8U
#define ZONE_BLOCKS    4096U /* of each range: 2 MiB */
#define RANGE_MAX      2048U
#define WRITE_BLOCKS   128U
#define LIST_BYTES_MAX (536 + RANGES_MAX * 16)
#define ATTENTIONS_MAX 8

struct side {
    struct iscsi_context *iscsi;
    int lun;
};

struct range {
    uint32_t lba, blocks;
};

static uint32_t next_id = 1;

static void die(const char *what)
{
    fprintf(stderr, "ashlar-tokens: %s\n", what);
    exit(1);
}

static void put(uint8_t *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

static uint64_t get(const uint8_t *in, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | in[i];
    return value;
}

/* ---- Commands -------------------------------------------------------------------------
 */

static struct side login(const char *initiator, const char *text)
{
    struct side s = {.iscsi = iscsi_create_context(initiator)};
    struct iscsi_url *url = s.iscsi == NULL ? NULL : iscsi_parse_full_url(s.iscsi, text);
    if (url == NULL)
        die("no such URL");
    s.lun = url->lun;
    iscsi_set_targetname(s.iscsi, url->target);
    iscsi_set_session_type(s.iscsi, ISCSI_SESSION_NORMAL);
    iscsi_set_noautoreconnect(s.iscsi, 1);
    if (iscsi_connect_sync(s.iscsi, url->portal) != 0 || iscsi_login_sync(s.iscsi) != 0)
        die(iscsi_get_error(s.iscsi));
    iscsi_destroy_url(url);
    for (int i = 0; i < ATTENTIONS_MAX; i++) {
        struct scsi_task *task = iscsi_testunitready_sync(s.iscsi, s.lun);
        bool ready = task != NULL && task->status == SCSI_STATUS_GOOD;
        scsi_free_scsi_task(task);
        if (ready)
            return s;
    }
    die("a unit is not ready");
    return s;
}

/* 0: GOOD; else key, ASC and ASCQ as 0xKAAQQ. */
static unsigned run(const struct side *s, uint8_t *cdb, uint8_t *data, uint32_t bytes,
                    bool in)
{
    struct iscsi_data out = {bytes, data};
    struct scsi_task *task =
        scsi_create_task(16, cdb, in ? SCSI_XFER_READ : SCSI_XFER_WRITE, (int)bytes);
    if (task == NULL ||
        iscsi_scsi_command_sync(s->iscsi, s->lun, task, in ? NULL : &out) == NULL)
        die("no answer");
    unsigned code = 0;
    if (task->status == SCSI_STATUS_CHECK_CONDITION)
        code = (unsigned)task->sense.key << 16 | (unsigned)task->sense.ascq;
    else if (task->status != SCSI_STATUS_GOOD)
        die("neither GOOD nor CHECK CONDITION");
    if (in && code == 0)
        memcpy(data, task->datain.data, (size_t)task->datain.size);
    scsi_free_scsi_task(task);
    return code;
}

static void must(unsigned code, const char *what)
{
    if (code == 0)
        return;
    fprintf(stderr, "%s: %x %04x\n", what, code >> 16, code & 0xffff);
    exit(1);
}

static void move(const struct side *s, bool in, uint32_t lba, uint32_t blocks,
                 uint8_t *data)
{
    for (uint32_t at = 0; at < blocks; at += WRITE_BLOCKS) {
        uint32_t n = blocks - at < WRITE_BLOCKS ? blocks - at : WRITE_BLOCKS;
        uint8_t cdb[16] = {in ? 0x88 : 0x8a};
        put(cdb + 2, lba + at, 8);
        put(cdb + 10, n, 4);
        must(run(s, cdb, data + at * BLOCK, n * BLOCK, in), in ? "READ" : "WRITE");
    }
}

static uint32_t list_put(uint8_t *list, uint32_t head, const struct range *ranges,
                         unsigned count)
{
    put(list, head - 2 + count * 16, 2);
    put(list + head - 2, count * 16, 2);
    for (unsigned i = 0; i < count; i++) {
        put(list + head + i * 16, ranges[i].lba, 8);
        put(list + head + i * 16 + 8, ranges[i].blocks, 4);
    }
    return head + count * 16;
}

static unsigned send_list(const struct side *s, uint8_t action, uint8_t *list,
                          uint32_t bytes)
{
    uint8_t cdb[16] = {0x83, action};
    put(cdb + 6, ++next_id, 4);
    put(cdb + 10, bytes, 4);
    return run(s, cdb, list, bytes, false);
}

/* How many blocks, and the token if there is one. */
static uint64_t ask(const struct side *s, uint8_t *token)
{
    uint8_t cdb[16] = {0x84, 0x07}, reply[1024] = {0};
    put(cdb + 2, next_id, 4);
    put(cdb + 10, sizeof(reply), 4);
    must(run(s, cdb, reply, sizeof(reply), true), "RECEIVE ROD TOKEN INFORMATION");
    if (reply[5] != 0x01 || reply[15] != 0xf1)
        die("the operation is not told to have ended well");
    uint32_t tokens = 32U + reply[13];
    if (token != NULL && get(reply + tokens, 4) != 2 + TOKEN_BYTES)
        die("there is no token");
    if (token != NULL)
        memcpy(token, reply + tokens + 6, TOKEN_BYTES);
    return get(reply + 16, 8);
}

static void populate(const struct side *s, uint32_t seconds, const struct range *ranges,
                     unsigned count, uint8_t *token)
{
    uint8_t list[LIST_BYTES_MAX] = {0};
    uint32_t bytes = list_put(list, 16, ranges, count), blocks = 0;
    put(list + 4, seconds, 4);
    for (unsigned i = 0; i < count; i++)
        blocks += ranges[i].blocks;
    must(send_list(s, 0x10, list, bytes), "POPULATE TOKEN");
    if (ask(s, token) != blocks)
        die("the token has not all blocks");
}

static unsigned use(const struct side *s, const uint8_t *token, uint32_t offset,
                    const struct range *ranges, unsigned count)
{
    uint8_t list[LIST_BYTES_MAX] = {0};
    uint32_t bytes = list_put(list, 536, ranges, count);
    put(list + 8, offset, 8);
    memcpy(list + 16, token, TOKEN_BYTES);
    return send_list(s, 0x11, list, bytes);
}

/* ---- What it is run for ---------------------------------------------------------------
 */

static void fill(uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)random();
}

/* One to RANGES_MAX of them, in zones of their own, in any order. */
static unsigned ranges_draw(struct range *ranges)
{
    unsigned count = 1 + (unsigned)random() % RANGES_MAX;
    unsigned first = (unsigned)random() % RANGES_MAX;
    for (unsigned i = 0; i < count; i++) {
        bool whole = random() % 2 == 0; /* extents, which are shared */
        uint32_t grain = whole ? 128 : 1;
        uint32_t blocks = (1 + (uint32_t)random() % (RANGE_MAX / grain)) * grain;
        uint32_t room = (ZONE_BLOCKS - blocks) / grain;
        ranges[i].lba = (first + i) % RANGES_MAX * ZONE_BLOCKS +
                        (uint32_t)random() % (room + 1) * grain;
        ranges[i].blocks = blocks;
    }
    return count;
}

/* The target's: the same total, cut elsewhere. */
static unsigned ranges_cut(struct range *ranges, uint32_t total)
{
    unsigned count = 0;
    while (total > 0) {
        uint32_t blocks = count == RANGES_MAX - 1 || total < 16
                              ? total
                              : 1 + (uint32_t)random() % total;
        if (blocks > ZONE_BLOCKS)
            blocks = ZONE_BLOCKS;
        ranges[count] = (struct range){count * ZONE_BLOCKS, blocks};
        total -= blocks;
        count++;
    }
    return count;
}

static void copy_round(const struct side *from, const struct side *to)
{
    struct range source[RANGES_MAX], target[RANGES_MAX];
    uint8_t token[TOKEN_BYTES];
    unsigned count = ranges_draw(source);
    uint32_t total = 0, at = 0;
    for (unsigned i = 0; i < count; i++)
        total += source[i].blocks;
    uint8_t *before = malloc(total * BLOCK), *data = malloc(ZONE_BLOCKS * BLOCK);
    if (before == NULL || data == NULL)
        die("out of memory");
    fill(before, total * BLOCK);
    for (unsigned i = 0; i < count; at += source[i++].blocks)
        move(from, false, source[i].lba, source[i].blocks, before + at * BLOCK);
    populate(from, 0, source, count, token);
    fill(data, ZONE_BLOCKS * BLOCK);
    for (unsigned i = 0; i < count; i++)
        move(from, false, source[i].lba, source[i].blocks, data);
    uint32_t offset = (uint32_t)random() % total;
    count = ranges_cut(target, total - offset);
    must(use(to, token, offset, target, count), "WRITE USING TOKEN");
    if (ask(to, NULL) != total - offset)
        die("not all blocks are told to be written");
    at = offset;
    for (unsigned i = 0; i < count; at += target[i++].blocks) {
        move(to, true, target[i].lba, target[i].blocks, data);
        if (memcmp(data, before + at * BLOCK, target[i].blocks * BLOCK) != 0)
            die("other data than the token was made of");
    }
    free(before);
    free(data);
}

static void copy(const struct side *from, const struct side *to, long rounds)
{
    srandom(1);
    for (long i = 0; i < rounds; i++)
        copy_round(from, to);
    puts("good");
}

static void forge(const struct side *from, const struct side *to)
{
    static const struct range range = {0, 128};
    uint8_t token[TOKEN_BYTES], old[128 * BLOCK], now[128 * BLOCK];
    fill(old, sizeof(old));
    move(from, false, 0, 128, old);
    populate(from, 0, &range, 1, token);
    memset(old, 'o', sizeof(old));
    move(to, false, 0, 128, old);
    for (unsigned i = 0; i < TOKEN_BYTES; i++) {
        uint8_t byte = token[i];
        token[i] ^= (uint8_t)(1 + random() % 255);
        unsigned code = use(to, token, 0, &range, 1);
        if (code >> 8 != 0x523) /* INVALID TOKEN OPERATION */
            die("a token that was changed is not refused as one");
        token[i] = byte;
    }
    move(to, true, 0, 128, now);
    if (memcmp(old, now, sizeof(now)) != 0)
        die("a token that was changed has been used");
    must(use(to, token, 0, &range, 1), "WRITE USING TOKEN");
    puts("good");
}

static void make(const struct side *from, const char *path, uint32_t seconds)
{
    static const struct range range = {0, 128};
    uint8_t token[TOKEN_BYTES];
    populate(from, seconds, &range, 1, token);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(token, 1, TOKEN_BYTES, f) != TOKEN_BYTES || fclose(f) != 0)
        die("the file cannot be written");
    puts("good");
}

static void use_file(const struct side *to, const char *path)
{
    static const struct range range = {0, 128};
    uint8_t token[TOKEN_BYTES];
    FILE *f = fopen(path, "rb");
    if (f == NULL || fread(token, 1, TOKEN_BYTES, f) != TOKEN_BYTES || fclose(f) != 0)
        die("the file cannot be read");
    unsigned code = use(to, token, 0, &range, 1);
    if (code == 0)
        puts("good");
    else
        printf("%x %04x\n", code >> 16, code & 0xffff);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        die("usage: INITIATOR URL-FROM URL-TO copy ROUNDS|forge|make FILE [S]|use FILE");
    const char *verb = argv[4];
    /* "-": that session is not needed */
    struct side from = {0}, to = {0};
    if (strcmp(argv[2], "-") != 0)
        from = login(argv[1], argv[2]);
    if (strcmp(argv[3], "-") != 0)
        to = login(argv[1], argv[3]);
    if (strcmp(verb, "copy") == 0 && argc == 6)
        copy(&from, &to, strtol(argv[5], NULL, 10));
    else if (strcmp(verb, "forge") == 0)
        forge(&from, &to);
    else if (strcmp(verb, "make") == 0 && argc >= 6)
        make(&from, argv[5], argc > 6 ? (uint32_t)strtoul(argv[6], NULL, 10) : 0);
    else if (strcmp(verb, "use") == 0 && argc == 6)
        use_file(&to, argv[5]);
    else
        die("no such verb");
    if (from.iscsi != NULL)
        iscsi_destroy_context(from.iscsi);
    if (to.iscsi != NULL)
        iscsi_destroy_context(to.iscsi);
    return 0;
}
