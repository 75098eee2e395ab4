/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-bench: loads a target over iSCSI and tells what it took. The sessions are
 * logged in one after the other, dealt to the threads, and all begin together; the main
 * thread says when measuring begins and ends, and reads the target's processor time at
 * both moments. */
#include "tests/bench/client/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LOOK_NS INT64_C(20000000)

static struct run run;
static atomic_uint live; /* workers */

static struct worker *workers_open(void)
{
    const struct bench_options *o = &run.o;
    struct worker *workers = calloc(o->threads, sizeof(*workers));
    if (workers == NULL) {
        run_fail(&run, "workers", "no memory");
        return NULL;
    }
    for (unsigned i = 0; i < o->sessions && !run.failed; i++) {
        struct worker *w = &workers[i % o->threads];
        w->run = &run;
        w->live = &live;
        w->sessions[w->count] = session_open(&run, i, &w->figures);
        if (w->sessions[w->count] != NULL)
            w->count++;
    }
    return workers;
}

static void workers_close(struct worker *workers)
{
    for (unsigned i = 0; workers != NULL && i < run.o.threads; i++)
        for (unsigned s = 0; s < workers[i].count; s++)
            session_close(workers[i].sessions[s]);
    free(workers);
}

/* So that somebody may look at the target while nothing is asked of it. */
static void hold(void)
{
    printf("ready\n");
    fflush(stdout);
    for (int c = getchar(); c != '\n' && c != EOF; c = getchar())
        ;
}

static void workers_start(struct worker *workers)
{
    run.began_ns = now_ns();
    for (unsigned i = 0; i < run.o.threads; i++) {
        atomic_fetch_add(&live, 1);
        if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]) != 0) {
            fprintf(stderr, "ashlar-bench: no thread\n");
            exit(2);
        }
    }
}

/* seconds: 0: until the workers have ended. */
static void wait_for(double seconds)
{
    int64_t ends = seconds == 0 ? INT64_MAX : now_ns() + (int64_t)(seconds * 1e9);
    for (int64_t now = now_ns(); now < ends && live > 0; now = now_ns()) {
        int64_t rest = ends - now < LOOK_NS ? ends - now : LOOK_NS;
        struct timespec t = {.tv_nsec = rest};
        nanosleep(&t, NULL);
    }
}

static int64_t last_ns(const struct worker *workers)
{
    int64_t last = run.began_ns;
    for (unsigned i = 0; i < run.o.threads; i++)
        for (unsigned s = 0; s < workers[i].count; s++) {
            int64_t at = session_last_ns(workers[i].sessions[s]);
            last = at > last ? at : last;
        }
    return last;
}

static double target_cpu(void)
{
    return run.o.target_pid == 0 ? 0 : cpu_of_process(run.o.target_pid);
}

static void phase_set(enum phase phase)
{
    if (!run.failed)
        run.phase = phase;
}

static struct span measure(struct worker *workers)
{
    if (run.o.ramp_s == 0)
        run.phase = PHASE_MEASURE;
    double target = target_cpu(), client = cpu_of_client();
    workers_start(workers);
    int64_t began = run.began_ns;
    if (run.o.ramp_s > 0) {
        wait_for(run.o.ramp_s);
        target = target_cpu();
        client = cpu_of_client();
        began = now_ns();
        phase_set(PHASE_MEASURE);
    }
    wait_for(run.o.seconds);
    int64_t ended = now_ns();
    bool by_itself = live == 0;
    phase_set(PHASE_OVER);
    struct span span = {.target_cpu_s =
                            run.o.target_pid == 0 ? -1 : target_cpu() - target,
                        .client_cpu_s = cpu_of_client() - client};
    for (unsigned i = 0; i < run.o.threads; i++)
        pthread_join(workers[i].thread, NULL);
    if (by_itself)
        ended = last_ns(workers);
    span.seconds = (double)(ended - began) / 1e9;
    return span;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    options_read(&run.o, argc, argv);
    struct worker *workers = workers_open();
    if (!run.failed && run.o.hold)
        hold();
    if (!run.failed) {
        struct span span = measure(workers);
        for (unsigned i = 1; i < run.o.threads; i++)
            figures_merge(&workers[0].figures, &workers[i].figures);
        if (!run.failed)
            figures_tell(&workers[0].figures, &span, &run.o);
    }
    workers_close(workers);
    return run.failed ? 1 : 0;
}
