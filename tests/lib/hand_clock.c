/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions that stand before the C library's. libevent finds clock_gettime() here
 * too, so that timers follow the same clock. */
#include "tests/lib/hand_clock.h"

#include "tests/lib/random.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Decades after any machine's start: who waits in earnest for a moment of this clock
 * never comes back, on every machine. */
#define BEGIN_NS 1000000000000000000ULL

static _Atomic uint64_t random_state; /* 0: the machine's */
static _Atomic uint64_t now_ns;

void hand_clock_set(uint64_t seed)
{
    atomic_store(&now_ns, BEGIN_NS);
    atomic_store(&random_state, seed);
}

void hand_clock_advance(uint64_t ns)
{
    atomic_fetch_add(&now_ns, ns);
}

bool hand_clock_is_set(void)
{
    return atomic_load(&random_state) != 0;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    if (atomic_load(&random_state) == 0)
        return (int)syscall(SYS_clock_gettime, id, out);
    uint64_t now = atomic_load(&now_ns);
    out->tv_sec = (time_t)(now / 1000000000);
    out->tv_nsec = (long)(now % 1000000000);
    return 0;
}

ssize_t getrandom(void *out, size_t bytes, unsigned flags)
{
    uint64_t x = atomic_load(&random_state);
    if (x == 0)
        return syscall(SYS_getrandom, out, bytes, flags);
    for (size_t i = 0; i < bytes; i++) {
        ((unsigned char *)out)[i] = (unsigned char)(random_next(&x) >> 24);
    }
    atomic_store(&random_state, x);
    return (ssize_t)bytes;
}
