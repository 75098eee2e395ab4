/* SPDX-License-Identifier: Apache-2.0 */
/* What happens by itself below the API and an admin wants to hear of. From any thread to
 * whoever listens on the control thread; without memory it is forgotten, since the log
 * and the objects say it too. */
#ifndef LUNMGR_NEWS_H
#define LUNMGR_NEWS_H

#include <stdbool.h>
#include <stdint.h>

struct device;
struct job;
struct job_info;
struct lunmgr;
struct pool;

struct pool_usage_news {
    const char *id, *pool;
    unsigned percent; /* the threshold, of the pool's size */
    uint64_t used_bytes, size_bytes, free_bytes;
    bool reached; /* else left */
};

/* Strings are borrowed for the call. Each may be NULL. */
struct lunmgr_news {
    void *arg;
    /* error: an errno, positive. */
    void (*device_failed)(void *arg, const char *id, const char *path, const char *pool,
                          const char *reason, int error);
    /* So many writes found no space since it was last told and failed, and so many wait
     * for some now; at most once a second. */
    void (*space_refused)(void *arg, const char *id, const char *pool, uint64_t writes,
                          unsigned waiting);
    /* After that: it has space again, and none waits. */
    void (*space_back)(void *arg, const char *id, const char *pool, uint64_t free_bytes);
    /* A pool's use has come up to a threshold, or is below it again. */
    void (*pool_usage)(void *arg, const struct pool_usage_news *news);
    /* The trash let it go: its time was over. */
    void (*volume_purged)(void *arg, const char *id, const char *name);
    /* It is durable that it is over. info is good for the call. */
    void (*job_ended)(void *arg, const struct job_info *info);
    /* A host's SANITIZE has begun; it has ended, and worked or failed. */
    void (*volume_sanitizing)(void *arg, const char *id, const char *name);
    void (*volume_sanitized)(void *arg, const char *id, const char *name, bool good);
    /* The catalog's mirror is in another state (lunmgr_mirror). */
    void (*mirror_changed)(void *arg);
};
/* Control thread. NULL: nobody listens any more. */
void lunmgr_set_news(struct lunmgr *m, const struct lunmgr_news *news);

/* Any thread. */
void news_device_failed(const struct device *device, const char *reason, int error);
void news_space_refused(struct pool *pool);
void news_space_waited_for(struct pool *pool);
void news_mirror_changed(struct lunmgr *m);
/* Control thread. */
void news_space_back(struct pool *pool);
void news_pool_usage(struct lunmgr *m, const struct pool_usage_news *news);
void news_volume_purged(struct lunmgr *m, const char *id, const char *name);
void news_job_ended(struct lunmgr *m, const struct job *job);
void news_volume_sanitizing(struct lunmgr *m, const char *id, const char *name);
void news_volume_sanitized(struct lunmgr *m, const char *id, const char *name, bool good);

#endif
