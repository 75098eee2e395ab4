/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the command line. */
#include "tests/bench/client/options.h"

#include "base/auto.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES_MAX (16U << 20)

static const char usage[] =
    "usage: ashlar-bench [option...] URL...\n"
    "  URL: iscsi://HOST:PORT/TARGET/LUN; the sessions take them in turn\n"
    "  --sessions N (1)  --depth N (32)  --block BYTES[K|M] (4K)  --threads N (1)\n"
    "  --read-percent N (100)  --random (the default)  --sequential\n"
    "  --once            each place once, then it ends\n"
    "  --count N         so many commands of each session, then it ends\n"
    "  --rate N          commands a second of all sessions together; latencies then\n"
    "                    count from the moment when a command was due\n"
    "  --flush-every N   a SYNCHRONIZE CACHE after every N writes\n"
    "  --verify          what is read must be what was written\n"
    "  --digests none|header|both (ashlar-bench-wire only)\n"
    "  --ramp SECONDS (1)  --seconds SECONDS (10)\n"
    "  --target-pid PID  whose processor time is told\n"
    "  --hold            logged in, says \"ready\" and waits for a line\n"
    "  --initiator IQN  --seed N\n"
    "Prints a line of JSON and one for people. 1: a command failed or data was wrong.\n";

static void refuse(const char *option, const char *wanted)
{
    fprintf(stderr, "ashlar-bench: --%s: wanted is %s\n", option, wanted);
    exit(64);
}

static double number(const char *option, const char *text, double least, double most)
{
    char *end;
    double n = strtod(text, &end);
    if (end != text && *end == '\0' && n >= least && n <= most)
        return n;
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "a number from %.0f to %.0f", least, most);
    refuse(option, wanted);
    return 0;
}

static unsigned whole(const char *option, const char *text, unsigned least, unsigned most)
{
    double n = number(option, text, least, most);
    if (n != floor(n))
        refuse(option, "a whole number");
    return (unsigned)n;
}

static uint32_t bytes(const char *option, const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 0;
    if (shift != 0)
        end++;
    if (*end != '\0' || n == 0 || n > BLOCK_BYTES_MAX >> shift || (n << shift) % 512 != 0)
        refuse(option, "a multiple of 512, at most 16M");
    return (uint32_t)(n << shift);
}

enum word {
    WORD_SESSIONS,
    WORD_DEPTH,
    WORD_BLOCK,
    WORD_THREADS,
    WORD_READ_PERCENT,
    WORD_RANDOM,
    WORD_SEQUENTIAL,
    WORD_ONCE,
    WORD_COUNT,
    WORD_RATE,
    WORD_FLUSH_EVERY,
    WORD_VERIFY,
    WORD_DIGESTS,
    WORD_RAMP,
    WORD_SECONDS,
    WORD_TARGET_PID,
    WORD_HOLD,
    WORD_INITIATOR,
    WORD_SEED,
};

static const struct option words[] = {
    {"sessions", required_argument, NULL, WORD_SESSIONS},
    {"depth", required_argument, NULL, WORD_DEPTH},
    {"block", required_argument, NULL, WORD_BLOCK},
    {"threads", required_argument, NULL, WORD_THREADS},
    {"read-percent", required_argument, NULL, WORD_READ_PERCENT},
    {"random", no_argument, NULL, WORD_RANDOM},
    {"sequential", no_argument, NULL, WORD_SEQUENTIAL},
    {"once", no_argument, NULL, WORD_ONCE},
    {"count", required_argument, NULL, WORD_COUNT},
    {"rate", required_argument, NULL, WORD_RATE},
    {"flush-every", required_argument, NULL, WORD_FLUSH_EVERY},
    {"verify", no_argument, NULL, WORD_VERIFY},
    {"digests", required_argument, NULL, WORD_DIGESTS},
    {"ramp", required_argument, NULL, WORD_RAMP},
    {"seconds", required_argument, NULL, WORD_SECONDS},
    {"target-pid", required_argument, NULL, WORD_TARGET_PID},
    {"hold", no_argument, NULL, WORD_HOLD},
    {"initiator", required_argument, NULL, WORD_INITIATOR},
    {"seed", required_argument, NULL, WORD_SEED},
    {0},
};

static void take_digests(struct bench_options *o, const char *text)
{
    o->data_digest = strcmp(text, "both") == 0;
    o->header_digest = o->data_digest || strcmp(text, "header") == 0;
    if (!o->header_digest && strcmp(text, "none") != 0)
        refuse("digests", "none, header or both");
}

static void take(struct bench_options *o, enum word word, const char *text)
{
    const char *name = words[word].name;
    switch (word) {
    case WORD_SESSIONS:
        o->sessions = whole(name, text, 1, SESSIONS_MAX);
        break;
    case WORD_DEPTH:
        o->depth = whole(name, text, 1, DEPTH_MAX);
        break;
    case WORD_BLOCK:
        o->block_bytes = bytes(name, text);
        break;
    case WORD_THREADS:
        o->threads = whole(name, text, 1, THREADS_MAX);
        break;
    case WORD_READ_PERCENT:
        o->read_percent = whole(name, text, 0, 100);
        break;
    case WORD_RANDOM:
        o->sequential = false;
        break;
    case WORD_SEQUENTIAL:
        o->sequential = true;
        break;
    case WORD_ONCE:
        o->once = true;
        break;
    case WORD_COUNT:
        o->count = whole(name, text, 1, UINT32_MAX);
        break;
    case WORD_RATE:
        o->rate = number(name, text, 1, 1e9);
        break;
    case WORD_FLUSH_EVERY:
        o->flush_every = whole(name, text, 1, UINT32_MAX);
        break;
    case WORD_VERIFY:
        o->verify = true;
        break;
    case WORD_DIGESTS:
        take_digests(o, text);
        break;
    case WORD_RAMP:
        o->ramp_s = number(name, text, 0, 3600);
        break;
    case WORD_SECONDS:
        o->seconds = number(name, text, 0, 86400);
        break;
    case WORD_TARGET_PID:
        o->target_pid = (pid_t)whole(name, text, 1, 1U << 22);
        break;
    case WORD_HOLD:
        o->hold = true;
        break;
    case WORD_INITIATOR:
        o->initiator = text;
        break;
    case WORD_SEED:
        o->seed = whole(name, text, 1, UINT32_MAX);
        break;
    }
}

void options_read(struct bench_options *o, int argc, char **argv)
{
    const double unsaid = -1;
    *o = (struct bench_options){.initiator = "iqn.2026-01.test.ashlar:one",
                                .sessions = 1,
                                .depth = 32,
                                .threads = 1,
                                .block_bytes = 4096,
                                .read_percent = 100,
                                .ramp_s = unsaid,
                                .seconds = unsaid,
                                .seed = 1};
    for (int c; (c = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        if (c == '?') {
            fputs(usage, stderr);
            exit(64);
        }
        take(o, (enum word)c, optarg);
    }
    o->urls = argv + optind;
    o->url_count = (unsigned)(argc - optind);
    if (o->url_count == 0) {
        fputs(usage, stderr);
        exit(64);
    }
    bool ends_itself = o->once || o->count != 0;
    if (o->seconds == unsaid)
        o->seconds = ends_itself ? 0 : 10;
    if (ends_itself && o->ramp_s > 0)
        refuse("ramp", "0 with --once and --count, which measure all that is done");
    if (o->ramp_s == unsaid)
        o->ramp_s = ends_itself ? 0 : 1;
    if (o->seconds == 0 && !ends_itself)
        refuse("seconds", "more than 0, or --once or --count");
    if (o->threads > o->sessions)
        o->threads = o->sessions;
}
