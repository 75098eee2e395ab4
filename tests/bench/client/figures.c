/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms added up and put into words. */
#include "tests/bench/client/figures.h"

#include "base/auto.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const kind_names[KINDS] = {"read", "write", "flush"};

void figures_merge(struct figures *into, const struct figures *from)
{
    for (int kind = 0; kind < KINDS; kind++)
        histogram_merge(&into->latency[kind], &from->latency[kind]);
    into->again += from->again;
}

/* proc(5): utime and stime are the 14th and 15th field, the second ends with the last
 * parenthesis. All threads' of the process, those that have ended too. */
double cpu_of_process(pid_t pid)
{
    char path[64], line[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return 0;
    size_t length = fread(line, 1, sizeof(line) - 1, f);
    fclose(f);
    line[length] = '\0';
    const char *at = strrchr(line, ')');
    unsigned long user = 0, system = 0;
    if (at == NULL ||
        sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
               &system) != 2)
        return 0;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

double cpu_of_client(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double at_us(const struct histogram *h, double part)
{
    return (double)histogram_at(h, part) / 1000;
}

static void latency_tell(const char *prefix, const struct histogram *h)
{
    printf(", \"%sp50_us\": %.1f, \"%sp99_us\": %.1f, \"%sp999_us\": %.1f, "
           "\"%smax_us\": %.1f",
           prefix, at_us(h, 0.5), prefix, at_us(h, 0.99), prefix, at_us(h, 0.999), prefix,
           (double)h->max_ns / 1000);
}

static void kinds_tell(const struct figures *f, const struct span *span)
{
    for (int kind = 0; kind < KINDS; kind++) {
        const struct histogram *h = &f->latency[kind];
        if (h->count == 0)
            continue;
        char prefix[16];
        snprintf(prefix, sizeof(prefix), "%s_", kind_names[kind]);
        printf(", \"%siops\": %.1f", prefix, (double)h->count / span->seconds);
        latency_tell(prefix, h);
    }
}

void figures_tell(const struct figures *f, const struct span *span,
                  const struct bench_options *o)
{
    AUTO_FREE struct histogram *all = calloc(1, sizeof(*all));
    if (all == NULL)
        return;
    histogram_merge(all, &f->latency[KIND_READ]);
    histogram_merge(all, &f->latency[KIND_WRITE]);
    double iops = (double)all->count / span->seconds;
    double mb_s = iops * o->block_bytes / 1e6;
    double commands = (double)all->count / 100000;
    double gb = (double)all->count * o->block_bytes / 1e9;
    printf("{\"sessions\": %u, \"depth\": %u, \"block_bytes\": %u, \"seconds\": %.3f, "
           "\"commands\": %" PRIu64 ", \"again\": %" PRIu64
           ", \"iops\": %.1f, \"mb_s\": %.2f",
           o->sessions, o->depth, o->block_bytes, span->seconds, all->count, f->again,
           iops, mb_s);
    latency_tell("", all);
    kinds_tell(f, span);
    printf(", \"client_cpu_s\": %.3f", span->client_cpu_s);
    if (span->target_cpu_s >= 0 && all->count > 0)
        printf(", \"target_cpu_s\": %.3f, \"cpu_s_per_100k\": %.4f, "
               "\"cpu_s_per_gb\": %.4f",
               span->target_cpu_s, span->target_cpu_s / commands,
               span->target_cpu_s / gb);
    printf("}\n%.0f IOPS, %.1f MB/s, p50 %.1f, p99 %.1f, p99.9 %.1f us, "
           "client %.0f %% of a processor",
           iops, mb_s, at_us(all, 0.5), at_us(all, 0.99), at_us(all, 0.999),
           span->client_cpu_s / span->seconds * 100);
    if (span->target_cpu_s >= 0 && all->count > 0)
        printf(", target %.2f s per 100,000", span->target_cpu_s / commands);
    printf("\n");
}
