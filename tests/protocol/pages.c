/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-pages: prints all that a unit tells of itself, in hex with a name for each page:
 * INQUIRY and every VPD page, the capacity, every mode page in its four values, every log
 * page, what is supported of commands and task management functions. What differs from
 * one unit, one run or one version to the next is printed as "--", unless --raw is given.
 * Usage: ashlar-pages [--raw] URL INITIATOR. Exit status 1: a question has no answer. One
 * thread. */
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALLOC_BYTES   4096
#define LINE_BYTES    16
#define TRIES_MAX     10
#define TITLE_MAX     96
#define ANY_SUBPAGE   0xff
#define ANY_MODE_PAGE 0x3f

/* The unit that is asked, and its last answer. */
static struct iscsi_context *session;
static int lun;
static bool raw;
static uint8_t answer[ALLOC_BYTES];
static size_t answer_bytes;
static bool masked[ALLOC_BYTES];

static unsigned be16_at(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* ---- questions ---- */

static struct scsi_task *send_cdb(const uint8_t *cdb, int cdb_bytes)
{
    uint8_t copy[16];
    memcpy(copy, cdb, (size_t)cdb_bytes);
    struct scsi_task *task =
        scsi_create_task(cdb_bytes, copy, SCSI_XFER_READ, ALLOC_BYTES);
    if (task == NULL || iscsi_scsi_command_sync(session, lun, task, NULL) == NULL) {
        fprintf(stderr, "no answer: %s\n", iscsi_get_error(session));
        exit(1);
    }
    return task;
}

static bool is_attention(const struct scsi_task *task)
{
    return task->status == SCSI_STATUS_CHECK_CONDITION &&
           task->sense.key == SCSI_SENSE_UNIT_ATTENTION;
}

static void print_sense(const char *title, const struct scsi_sense *sense)
{
    printf("== %s: sense %x %02x/%02x", title, (unsigned)sense->key,
           (unsigned)sense->ascq >> 8, (unsigned)sense->ascq & 0xff);
    if (sense->sense_specific)
        printf(", %s byte %u", sense->ill_param_in_cdb ? "CDB" : "data",
               (unsigned)sense->field_pointer);
    if (sense->sense_specific && sense->bit_pointer_valid)
        printf(" bit %u", (unsigned)sense->bit_pointer);
    printf("\n");
}

/* True: the data is in answer, and nothing of it is masked yet. False: the unit refused,
 * which is printed. */
static bool ask(const char *title, const uint8_t *cdb, int cdb_bytes)
{
    struct scsi_task *task = send_cdb(cdb, cdb_bytes);
    for (int i = 0; is_attention(task) && i < TRIES_MAX; i++) {
        scsi_free_scsi_task(task);
        task = send_cdb(cdb, cdb_bytes);
    }
    bool good = task->status == SCSI_STATUS_GOOD;
    memset(masked, 0, sizeof(masked));
    answer_bytes = 0;
    if (good && task->datain.size > 0) {
        answer_bytes = (size_t)task->datain.size;
        if (answer_bytes > ALLOC_BYTES)
            answer_bytes = ALLOC_BYTES;
        memcpy(answer, task->datain.data, answer_bytes);
    } else if (task->status == SCSI_STATUS_CHECK_CONDITION) {
        print_sense(title, &task->sense);
    } else if (!good) {
        fprintf(stderr, "%s: status 0x%x\n", title, (unsigned)task->status);
        exit(1);
    }
    scsi_free_scsi_task(task);
    return good;
}

/* ---- answers ---- */

static void mask(size_t from, size_t bytes)
{
    for (size_t i = from; i < from + bytes && i < answer_bytes; i++)
        masked[i] = !raw;
}

static void print_bytes(size_t from, size_t to, size_t line_bytes)
{
    for (size_t at = from; at < to; at += line_bytes) {
        printf("%04zx ", at);
        for (size_t i = at; i < to && i < at + line_bytes; i++) {
            if (masked[i])
                printf(" --");
            else
                printf(" %02x", answer[i]);
        }
        printf("\n");
    }
}

static void print_answer(const char *title)
{
    printf("== %s: %zu bytes\n", title, answer_bytes);
    print_bytes(0, answer_bytes, LINE_BYTES);
}

/* ---- names ---- */

struct page_name {
    uint8_t page, subpage;
    const char *name;
};

static const char *name_of(const struct page_name *names, size_t count, uint8_t page,
                           uint8_t subpage)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i].page == page && names[i].subpage == subpage)
            return names[i].name;
    }
    return "no name";
}
#define NAME_OF(names, page, subpage)                                                    \
    name_of((names), sizeof(names) / sizeof((names)[0]), page, subpage)

static const struct page_name vpd_names[] = {
    {0x00, 0, "supported pages"},
    {0x80, 0, "unit serial number"},
    {0x83, 0, "device identification"},
    {0x85, 0, "management network addresses"},
    {0x86, 0, "extended INQUIRY data"},
    {0x87, 0, "mode page policy"},
    {0x88, 0, "SCSI ports"},
    {0x8f, 0, "third-party copy"},
    {0xb0, 0, "block limits"},
    {0xb1, 0, "block device characteristics"},
    {0xb2, 0, "logical block provisioning"},
};
static const struct page_name mode_names[] = {
    {0x01, 0, "read-write error recovery"},
    {0x02, 0, "disconnect-reconnect"},
    {0x07, 0, "verify error recovery"},
    {0x08, 0, "caching"},
    {0x0a, 0, "control"},
    {0x0a, 1, "control extension"},
    {0x18, 0, "protocol specific logical unit"},
    {0x19, 0, "protocol specific port"},
    {0x1a, 0, "power condition"},
    {0x1c, 0, "informational exceptions control"},
    {0x1c, 1, "background control"},
    {0x1c, 2, "logical block provisioning"},
};
static const struct page_name log_names[] = {
    {0x00, 0x00, "supported pages"},
    {0x00, 0xff, "supported pages and subpages"},
    {0x0c, 0x00, "logical block provisioning"},
    {0x0d, 0x00, "temperature"},
    {0x19, 0x00, "general statistics and performance"},
    {0x2f, 0x00, "informational exceptions"},
};

/* ---- INQUIRY ---- */

static bool ask_inquiry(const char *title, bool evpd, uint8_t page)
{
    const uint8_t cdb[6] = {0x12, evpd, page, ALLOC_BYTES >> 8, ALLOC_BYTES & 0xff, 0};
    return ask(title, cdb, sizeof(cdb));
}

/* NAA: all of it. T10 vendor: what comes after the vendor, the serial. */
static void mask_designators(void)
{
    for (size_t at = 4; at + 4 <= answer_bytes; at += 4 + (size_t)answer[at + 3]) {
        unsigned type = answer[at + 1] & 0x0f;
        if (type == 3)
            mask(at + 4, answer[at + 3]);
        if (type == 1)
            mask(at + 4 + 8, answer[at + 3] - 8U);
    }
}

static void print_vpd(uint8_t page)
{
    char title[TITLE_MAX];
    snprintf(title, sizeof(title), "VPD %02x %s", page, NAME_OF(vpd_names, page, 0));
    if (!ask_inquiry(title, true, page))
        return;
    if (page == 0x80)
        mask(4, answer_bytes);
    if (page == 0x83)
        mask_designators();
    print_answer(title);
}

static void print_inquiry(void)
{
    uint8_t list[256];
    if (ask_inquiry("INQUIRY", false, 0)) {
        mask(32, 4); /* the revision */
        print_answer("INQUIRY");
    }
    print_vpd(0x00);
    size_t count = answer_bytes > 4 ? answer_bytes - 4 : 0;
    memcpy(list, answer + 4, count);
    for (size_t i = 0; i < count; i++) {
        if (list[i] != 0x00)
            print_vpd(list[i]);
    }
}

/* ---- capacity ---- */

static void print_capacity(void)
{
    static const uint8_t ten[10] = {0x25};
    static const uint8_t sixteen[16] = {0x9e, 0x10, [13] = 32};
    if (ask("READ CAPACITY(10)", ten, sizeof(ten)))
        print_answer("READ CAPACITY(10)");
    if (ask("READ CAPACITY(16)", sixteen, sizeof(sixteen)))
        print_answer("READ CAPACITY(16)");
}

/* ---- mode pages ---- */

static bool ask_mode(const char *title, bool descriptor, unsigned control, uint8_t page,
                     uint8_t subpage)
{
    const uint8_t cdb[10] = {0x5a,
                             descriptor ? 0x00 : 0x08, /* DBD */
                             (uint8_t)(control << 6 | page),
                             subpage,
                             [7] = ALLOC_BYTES >> 8,
                             [8] = ALLOC_BYTES & 0xff};
    return ask(title, cdb, sizeof(cdb));
}

static void print_mode(uint8_t page, uint8_t subpage)
{
    static const char *const controls[] = {"current", "changeable", "default", "saved"};
    char title[TITLE_MAX];
    for (unsigned c = 0; c < 4; c++) {
        snprintf(title, sizeof(title), "MODE %02x/%02x %s, %s", page, subpage,
                 NAME_OF(mode_names, page, subpage), controls[c]);
        if (ask_mode(title, false, c, page, subpage))
            print_answer(title);
    }
}

/* The pages are those that the answer for all of them has. */
static void print_modes(void)
{
    static const uint8_t six[6] = {0x1a, 0, ANY_MODE_PAGE, 0, 0xff, 0};
    uint8_t all[ALLOC_BYTES];
    if (ask("MODE SENSE(6), all pages", six, sizeof(six)))
        print_answer("MODE SENSE(6), all pages");
    if (!ask_mode("MODE SENSE(10), all pages", true, 0, ANY_MODE_PAGE, ANY_SUBPAGE))
        return;
    print_answer("MODE SENSE(10), all pages and subpages");
    size_t bytes = answer_bytes;
    memcpy(all, answer, bytes);
    for (size_t at = 8 + be16_at(all + 6); at + 4 <= bytes;) {
        bool has_subpage = (all[at] & 0x40) != 0;
        print_mode(all[at] & 0x3f, has_subpage ? all[at + 1] : 0);
        at += has_subpage ? 4 + be16_at(all + at + 2) : 2 + (size_t)all[at + 1];
    }
}

/* ---- log pages ---- */

static bool ask_log(const char *title, unsigned control, uint8_t page, uint8_t subpage)
{
    const uint8_t cdb[10] = {0x4d,
                             0,
                             (uint8_t)(control << 6 | page),
                             subpage,
                             [7] = ALLOC_BYTES >> 8,
                             [8] = ALLOC_BYTES & 0xff};
    return ask(title, cdb, sizeof(cdb));
}

#define COUNTED_BYTES 48 /* of the statistics; the rest is weighted, and 0 */

/* What counts moves: resources of 0Ch, the statistics of 19h. */
static void mask_counts(uint8_t page)
{
    for (size_t at = 4; at + 4 <= answer_bytes; at += 4 + (size_t)answer[at + 3]) {
        if (page == 0x0c)
            mask(at + 4, 4);
        if (page == 0x19 && be16_at(answer + at) == 1)
            mask(at + 4, COUNTED_BYTES);
    }
}

static void print_log(uint8_t page, uint8_t subpage)
{
    static const char *const controls[] = {"threshold", "cumulative", "default threshold",
                                           "default cumulative"};
    char title[TITLE_MAX];
    for (unsigned c = 0; c < 4; c++) {
        snprintf(title, sizeof(title), "LOG %02x/%02x %s, %s", page, subpage,
                 NAME_OF(log_names, page, subpage), controls[c]);
        if (!ask_log(title, c, page, subpage))
            continue;
        mask_counts(page);
        print_answer(title);
    }
}

static void print_logs(void)
{
    uint8_t list[ALLOC_BYTES];
    if (!ask_log("LOG 00/ff supported pages and subpages", 1, 0x00, ANY_SUBPAGE))
        return;
    size_t bytes = answer_bytes;
    memcpy(list, answer, bytes);
    for (size_t at = 4; at + 2 <= bytes; at += 2)
        print_log(list[at] & 0x3f, list[at + 1]);
}

/* ---- what is supported ---- */

static bool ask_opcodes(const char *title, uint8_t option, uint8_t opcode,
                        const uint8_t *action)
{
    const uint8_t cdb[12] = {0xa3,
                             0x0c,
                             (uint8_t)(0x80 | option), /* RCTD */
                             opcode,
                             action[0],
                             action[1],
                             [8] = ALLOC_BYTES >> 8,
                             [9] = ALLOC_BYTES & 0xff};
    return ask(title, cdb, sizeof(cdb));
}

/* One line: support, length, usage of each byte, its timeouts. */
static void print_opcode(const uint8_t *descriptor)
{
    char title[TITLE_MAX];
    unsigned action = be16_at(descriptor + 2);
    bool has_action = (descriptor[5] & 1) != 0;
    snprintf(title, sizeof(title), "OPCODE %02x/%02x", descriptor[0], action);
    if (!ask_opcodes(title, has_action ? 2 : 1, descriptor[0], descriptor + 2))
        return;
    printf("== %s:", title);
    for (size_t i = 0; i < answer_bytes; i++)
        printf(" %02x", answer[i]);
    printf("\n");
}

static void print_opcodes(void)
{
    static const uint8_t none[2];
    uint8_t list[ALLOC_BYTES];
    if (!ask_opcodes("REPORT SUPPORTED OPERATION CODES", 0, 0, none))
        return;
    printf("== REPORT SUPPORTED OPERATION CODES: %zu bytes\n", answer_bytes);
    size_t bytes = answer_bytes;
    print_bytes(0, bytes < 4 ? bytes : 4, 4);
    print_bytes(4, bytes, 20);
    memcpy(list, answer, bytes);
    for (size_t at = 4; at + 20 <= bytes; at += 20)
        print_opcode(list + at);
}

static void print_tmfs(void)
{
    static const uint8_t plain[12] = {0xa3, 0x0d, [9] = 16};
    static const uint8_t extended[12] = {0xa3, 0x0d, 0x80, [9] = 16};
    static const char *const title = "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS";
    if (ask(title, plain, sizeof(plain)))
        print_answer(title);
    if (ask(title, extended, sizeof(extended)))
        print_answer("REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS, extended");
}

/* ---- the session ---- */

static bool log_in(const char *text, const char *initiator)
{
    session = iscsi_create_context(initiator);
    struct iscsi_url *url = session != NULL ? iscsi_parse_full_url(session, text) : NULL;
    if (url == NULL)
        return false;
    iscsi_set_noautoreconnect(session, 1);
    iscsi_set_session_type(session, ISCSI_SESSION_NORMAL);
    iscsi_set_header_digest(session, ISCSI_HEADER_DIGEST_NONE);
    iscsi_set_timeout(session, 20);
    lun = url->lun;
    bool in = iscsi_set_targetname(session, url->target) == 0 &&
              iscsi_full_connect_sync(session, url->portal, url->lun) == 0;
    iscsi_destroy_url(url);
    return in;
}

int main(int argc, char **argv)
{
    raw = argc > 1 && strcmp(argv[1], "--raw") == 0;
    argv += raw;
    if (argc - raw != 3) {
        fprintf(stderr, "ashlar-pages [--raw] URL INITIATOR\n");
        return 64;
    }
    if (!log_in(argv[1], argv[2])) {
        fprintf(stderr, "%s: %s\n", argv[1],
                session != NULL ? iscsi_get_error(session) : "no memory");
        return 1;
    }
    print_inquiry();
    print_capacity();
    print_modes();
    print_logs();
    print_opcodes();
    print_tmfs();
    (void)iscsi_logout_sync(session);
    iscsi_destroy_context(session);
    return 0;
}
