/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-replay: sends a recorded login byte for byte and holds the answers against what
 * the recording says is right, key by key. Usage: ashlar-replay HOST PORT FILE.
 * The file (tests/golden): "request" and the header's twelve words, the lines of its
 * text; "answer", its status and stages, the lines of its text in any order; and again.
 * Lines with # say why. Exit 1: another answer; 2: the file is not as it should be.
 * One thread. */
#include "tests/protocol/rawpdu.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS     5000
#define TEXT_LINE_MAX 512

#define TRANSIT    0x80
#define CONTINUE   0x40
#define FULL_STAGE 3

struct script {
    FILE *file;
    unsigned line_no;
    bool have; /* line is the next one */
    char line[TEXT_LINE_MAX];
};

static struct script script;
static struct raw_pdu request, answer;
static unsigned faults;

static void broken(const char *what)
{
    fprintf(stderr, "line %u: %s\n", script.line_no, what);
    exit(2);
}

static void __attribute__((format(printf, 1, 2))) fault(const char *format, ...)
{
    va_list list;

    faults++;
    fprintf(stderr, "before line %u: ", script.line_no);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
}

/* ---- the file ---- */

/* The next line that is no comment, which stays the next until script_skip(); NULL at the
 * end. */
static const char *script_line(void)
{
    while (!script.have) {
        if (fgets(script.line, sizeof(script.line), script.file) == NULL)
            return NULL;
        script.line_no++;
        if (strchr(script.line, '\n') == NULL)
            broken("too long, or without its end");
        script.line[strcspn(script.line, "\n")] = '\0';
        script.have = script.line[0] != '#' && script.line[0] != '\0';
    }
    return script.line;
}

static void script_skip(void)
{
    script.have = false;
}

/* What follows the word on the line that must begin with it. */
static const char *script_word(const char *word)
{
    const char *line = script_line();

    if (line == NULL || strncmp(line, word, strlen(word)) != 0)
        broken("not what follows here");
    return line + strlen(word);
}

/* A line of text, or NULL. */
static const char *script_key(void)
{
    const char *line = script_line();

    return line != NULL && strchr(line, '=') != NULL ? line : NULL;
}

static void read_request(void)
{
    const char *at = script_word("request ");

    for (size_t i = 0; i < RAW_BHS_BYTES; i += 4) {
        char *end;
        raw_put(request.bhs + i, 4, strtoul(at, &end, 16));
        if (end != at + 8)
            broken("not a word of a header");
        at = end + (*end == ' ');
    }
    script_skip();
    request.data_bytes = 0;
    for (const char *key; (key = script_key()) != NULL; script_skip())
        raw_text(&request, key);
    if (raw_get(request.bhs + 5, 3) != request.data_bytes)
        broken("the header has another length than the text");
}

/* ---- what came ---- */

static void must_be(const char *what, uint64_t is, uint64_t right)
{
    if (is != right)
        fault("%s is %#llx, not %#llx", what, (unsigned long long)is,
              (unsigned long long)right);
}

/* Status and stages, as the file writes them. */
static void check_step(const char *right)
{
    char is[64];
    unsigned flags = answer.bhs[1];
    int n = snprintf(is, sizeof(is), "%04x stage %u",
                     (unsigned)raw_get(answer.bhs + 36, 2), flags >> 2 & 3);

    if ((flags & TRANSIT) != 0)
        snprintf(is + n, sizeof(is) - (size_t)n, " to %u", flags & 3);
    if (strcmp(is, right) != 0)
        fault("the answer is %s, not %s", is, right);
}

static bool logged_in(void)
{
    return raw_get(answer.bhs + 36, 2) == 0 && (answer.bhs[1] & TRANSIT) != 0 &&
           (answer.bhs[1] & 3) == FULL_STAGE;
}

/* RFC 7143, 11.13. A login request is immediate: it takes no CmdSN. */
static void check_header(uint32_t stat_sn, bool first)
{
    uint64_t cmd_sn = raw_get(request.bhs + 24, 4);

    must_be("C", answer.bhs[1] & CONTINUE, 0);
    must_be("Version-max", answer.bhs[2], 0);
    must_be("Version-active", answer.bhs[3], 0);
    must_be("ISID", raw_get(answer.bhs + 8, 6), raw_get(request.bhs + 8, 6));
    must_be("a TSIH", raw_get(answer.bhs + 14, 2) != 0, logged_in());
    must_be("the ITT", raw_itt(&answer), raw_itt(&request));
    must_be("ExpCmdSN", raw_get(answer.bhs + 28, 4), cmd_sn);
    must_be("what is reserved", raw_get(answer.bhs + 38, 8), 0);
    if (!first)
        must_be("StatSN", raw_get(answer.bhs + 24, 4), stat_sn);
}

/* Takes the line out of the answer's text: true if it was there. */
static bool answer_take(const char *line)
{
    char *at = (char *)answer.data, *end = at + answer.data_bytes;

    for (; at < end; at += strlen(at) + 1) {
        if (strcmp(at, line) == 0) {
            memset(at, 0, strlen(at));
            return true;
        }
    }
    return false;
}

static void check_text(void)
{
    answer.data[answer.data_bytes] = '\0';
    for (const char *key; (key = script_key()) != NULL; script_skip()) {
        if (!answer_take(key))
            fault("not in the answer: %s", key);
    }
    const char *at = (const char *)answer.data, *end = at + answer.data_bytes;
    for (; at < end; at += strlen(at) + 1) {
        if (*at != '\0')
            fault("in the answer: %s", at);
    }
}

/* ---- the exchange ---- */

static void send_request(struct raw *r)
{
    static const uint8_t pad[4];

    if (!raw_write(r, request.bhs, RAW_BHS_BYTES) ||
        !raw_write(r, request.data, request.data_bytes) ||
        !raw_write(r, pad, (4 - request.data_bytes % 4) % 4))
        fault("the target does not take it");
}

static bool exchange(struct raw *r, bool first)
{
    uint32_t stat_sn = r->exp_stat_sn;

    read_request();
    send_request(r);
    int opcode = raw_recv(r, &answer, ANSWER_MS);
    if (opcode != RAW_LOGIN_RSP) {
        fault("no login response comes but %#x", (unsigned)opcode);
        return false;
    }
    check_step(script_word("answer "));
    script_skip();
    check_header(stat_sn, first);
    check_text();
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "ashlar-replay HOST PORT FILE\n");
        return 64;
    }
    struct raw r = {.host = argv[1], .port = argv[2]};

    script.file = fopen(argv[3], "r");
    if (script.file == NULL || raw_connect(&r) != 0) {
        perror(argv[3]);
        return 2;
    }
    unsigned exchanges = 0;
    while (script_line() != NULL && exchange(&r, exchanges == 0))
        exchanges++;
    raw_close(&r);
    fclose(script.file);
    if (exchanges == 0 || !logged_in())
        fault("it is not a whole login");
    return faults == 0 ? 0 : 1;
}
