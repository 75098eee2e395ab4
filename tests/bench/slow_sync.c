/* SPDX-License-Identifier: Apache-2.0 */
/* To be preloaded into a daemon: each sync of its catalog takes SLOW_SYNC_MS longer, as
 * on a disk that is slow or far away. What is not the catalog's is left alone, unless
 * SLOW_SYNC_OF is "all". What goes by io_uring does not come by here. */
#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool is_catalog(int fd)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof(path) - 1);
    if (length < 0)
        return false;
    path[length] = '\0';
    return strstr(path, "/catalog.db") != NULL;
}

static bool is_slow(int fd)
{
    const char *of = getenv("SLOW_SYNC_OF");
    return (of != NULL && strcmp(of, "all") == 0) || is_catalog(fd);
}

static int slow(const char *name, int fd)
{
    int (*real)(int) = (int (*)(int))(uintptr_t)dlsym(RTLD_NEXT, name);
    const char *ms = getenv("SLOW_SYNC_MS");
    long delay = ms == NULL || !is_slow(fd) ? 0 : strtol(ms, NULL, 10);
    struct timespec t = {.tv_sec = delay / 1000, .tv_nsec = delay % 1000 * 1000000};
    nanosleep(&t, NULL);
    return real(fd);
}

int fdatasync(int fd)
{
    return slow("fdatasync", fd);
}

int fsync(int fd)
{
    return slow("fsync", fd);
}
