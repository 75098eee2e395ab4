/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-crash: the three processes of the crash test behind one command line.
 *   write  sends writes and flushes until the target dies, tells them on standard output
 *   keep   keeps what it is told on standard input in a file, and lives through the crash
 *   check  compares the restarted target with what was kept
 * Exit 0: as promised; 1: a promise was broken; 2: the test itself could not go on. One
 * thread. */
#include "tests/crash/journal.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_USAGE 64

static const char usage[] =
    "ashlar-crash write|keep|check [options] [iscsi://HOST:PORT/TARGET/LUN]\n"
    "  --journal FILE  --state FILE  --lun N (repeated)  --connections N (2)  --depth N "
    "(8)\n"
    "  --region BYTES (16 MiB of each LUN)  --seed N  --generation N  --seconds N (30)\n"
    "  --initiator IQN  --lost-ok  --residuals-ok  --no-write-same\n";

/* The keeper: nothing is interpreted, so nothing can be lost by a mistake of the
 * checker's. */
int crash_keep(const struct crash_options *o)
{
    char buffer[65536];
    ssize_t n;
    FILE *f = fopen(o->journal, "wb");

    if (f == NULL) {
        fprintf(stderr, "crash keep: %s: %s\n", o->journal, strerror(errno));
        return 2;
    }
    /* At once: kill9.sh waits for the first record. */
    while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0) {
        if (fwrite(buffer, 1, (size_t)n, f) != (size_t)n || fflush(f) != 0)
            break;
    }
    if (fclose(f) != 0 || n != 0) {
        fprintf(stderr, "crash keep: %s: %s\n", o->journal, strerror(errno));
        return 2;
    }
    return 0;
}

static uint64_t number(const char *text)
{
    char *end;

    errno = 0;
    uint64_t n = strtoull(text, &end, 0);
    return errno != 0 || end == text || *end != '\0' ? UINT64_MAX : n;
}

static bool take_number(struct crash_options *o, int name, uint64_t n)
{
    switch (name) {
    case 'l':
        if (o->lun_count == CRASH_LUNS_MAX || n > 255)
            return false;
        o->luns[o->lun_count++] = (unsigned)n;
        return true;
    case 'c':
        o->connections = (unsigned)n;
        return n >= 1 && n <= 16;
    case 'd':
        o->depth = (unsigned)n;
        return n >= 1 && n <= 32;
    case 'r':
        o->region_bytes = n;
        return n >= 1024 * 1024 && n % 65536 == 0;
    case 'S':
        o->seed = n;
        return n != UINT64_MAX;
    case 'g':
        o->generation = (uint32_t)n;
        return n >= 1 && n <= UINT32_MAX / 2;
    case 's':
        o->seconds = (unsigned)n;
        return n >= 1 && n <= 3600;
    default:
        return false;
    }
}

static bool take_option(struct crash_options *o, int name, const char *value)
{
    switch (name) {
    case 'j':
        o->journal = value;
        return true;
    case 't':
        o->state = value;
        return true;
    case 'I':
        o->initiator = value;
        return true;
    case 'L':
        o->lost_ok = 1;
        return true;
    case 'R':
        o->residuals_ok = 1;
        return true;
    case 'W':
        o->no_write_same = 1;
        return true;
    default:
        return value != NULL && take_number(o, name, number(value));
    }
}

static bool parse(struct crash_options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"journal", 1, 0, 'j'},       {"state", 1, 0, 't'},
        {"lun", 1, 0, 'l'},           {"connections", 1, 0, 'c'},
        {"depth", 1, 0, 'd'},         {"region", 1, 0, 'r'},
        {"seed", 1, 0, 'S'},          {"generation", 1, 0, 'g'},
        {"seconds", 1, 0, 's'},       {"initiator", 1, 0, 'I'},
        {"lost-ok", 0, 0, 'L'},       {"residuals-ok", 0, 0, 'R'},
        {"no-write-same", 0, 0, 'W'}, {0, 0, 0, 0},
    };
    int name;

    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (!take_option(o, name, optarg))
            return false;
    }
    o->url = optind < argc ? argv[optind] : NULL;
    return true;
}

int main(int argc, char **argv)
{
    struct crash_options o = {
        .initiator = "iqn.2026-01.test.ashlar:one",
        .connections = 2,
        .depth = 8,
        .region_bytes = 16 * 1024 * 1024,
        .seed = 1,
        .generation = 1,
        .seconds = 30,
    };
    const char *part = argc > 1 ? argv[1] : "";

    signal(SIGPIPE, SIG_IGN); /* a dead target is an error code, not our end */

    if (argc > 1 && parse(&o, argc - 1, argv + 1)) {
        if (strcmp(part, "keep") == 0 && o.journal != NULL)
            return crash_keep(&o);
        if (strcmp(part, "write") == 0 && o.url != NULL && o.lun_count > 0)
            return crash_write(&o);
        if (strcmp(part, "check") == 0 && o.url != NULL && o.lun_count > 0 &&
            o.journal != NULL && o.state != NULL)
            return crash_check(&o);
    }
    fputs(usage, stderr);
    return EXIT_USAGE;
}
