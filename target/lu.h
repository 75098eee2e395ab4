/* SPDX-License-Identifier: Apache-2.0 */
/* Who sees what: a view is the LUNs that a host is shown through one target, and a struct
 * access holds the views of all hosts as they were at one moment. A host has a view of
 * the target that all hosts share, and one of each volume that is a target of its own to
 * it. An access never changes after it is built:
 * the control thread builds one at each change, every reactor swaps to it on a message,
 * and what is used by a session or a task stays valid while they hold the access that it
 * came from. No I/O here. */
#ifndef TARGET_LU_H
#define TARGET_LU_H

#include "base/auth.h"
#include "base/auto.h"
#include "lunmgr/volume.h"
#include "proto/keys.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct access;
struct lunmgr;
struct mapping;
struct throttle;
struct unit;

/* ":" and the volume's serial, behind the box's name: all names of own targets have one
 * length, so that none begins another. */
#define OWN_TARGET_SUFFIX 17

enum lu_limit { LU_OF_VOLUME, LU_OF_HOST, LU_LIMITS };

/* A logical unit as one host sees it. */
struct lu {
    uint16_t lun;
    bool read_only;
    uint8_t block_shift;       /* a logical block has 1 << block_shift bytes: 9 or 12 */
    uint8_t physical_exponent; /* a physical one, as it is told, has 2^this of them */
    struct volume *volume;     /* the unit's */
    struct unit *unit;         /* the access holds the reference, and those below */
    struct throttle *limits[LU_LIMITS]; /* NULL: unlimited */
};

/* What one host sees through one target. */
struct view {
    const struct access_host *host;
    char target[NODE_NAME_MAX + 1];
    const struct lu *lus; /* in order of LUN */
    const uint32_t *luns; /* their numbers alone, as REPORT LUNS tells them */
    size_t lu_count;
};

/* One host, as it is let in. */
struct access_host {
    char id[VOLUME_ID_MAX], name[VOLUME_NAME_MAX];
    struct auth auth;         /* what its initiators must prove */
    struct throttle *limit;   /* the host's; NULL: unlimited */
    const struct view *views; /* the shared target's, then the others in order of name */
    size_t view_count;        /* at least 1 */
};

/* The name of the target that the mapping's LUN is of. box: the shared one's. */
void access_target_name(const char *box, const struct mapping *mapping,
                        char out[NODE_NAME_MAX + 1]);

/* Control thread. box: the shared target's name, in lower case and with room for a
 * suffix. before: the access that this one follows, whose units live on (NULL: the
 * first), as do limits that have not changed. 0: *out has one reference, the caller's.
 * -ENOMEM. */
int access_create(struct lunmgr *m, const char *box, const struct access *before,
                  struct access **out) MUST_CHECK;
/* Any thread. The last put frees it and puts its volumes; NULL is allowed. */
struct access *access_get(struct access *access);
void access_put(struct access *access);

/* The unit of a volume that is shown, one for each; NULL: no more. Borrowed as the access
 * is held. */
struct unit *access_unit(const struct access *access, size_t index);

/* The limits of a volume that is shown, of the host with that id; NULL: unlimited, or
 * there is no such. The same. */
const struct throttle *access_volume_limit(const struct access *access,
                                           const struct volume *volume);
const struct throttle *access_host_limit(const struct access *access, const char *id);

/* Whose initiator it is: the host that lists its name, else the one that is open to any,
 * else NULL: it may not log in. Any thread, while access is held. */
const struct access_host *access_host(const struct access *access, const char *initiator);

/* What an initiator sees through the target of that name; NULL: to it, there is no such.
 * As access_host. */
const struct view *access_view(const struct access *access, const char *initiator,
                               const char *target);

/* What an initiator must prove to log in, or to discover. A normal login's has a host.
 * Borrowed as the host is. */
const struct auth *access_auth(const struct access *access, const char *initiator,
                               bool discovery);

/* Whether the host's initiators may come from there. */
bool access_host_admits(const struct access_host *host, const uint8_t address[IP_BYTES]);
/* NULL: the host is shown no such target. Names are compared as RFC 7143 does. */
const struct view *access_host_view(const struct access_host *host, const char *target);

/* NULL: nothing is shown there. view may be NULL. */
const struct lu *view_lu(const struct view *view, uint32_t lun);
/* Whether view shows what lu was in an earlier view: the same volume, under the same LUN,
 * to be written or not as before. If not, the mapping of lu is gone, and a command that
 * began on it is one to wait for. */
bool view_keeps(const struct view *view, const struct lu *lu);
/* Whether the LUNs that are shown differ: what REPORTED LUNS DATA HAS CHANGED tells.
 * Either may be NULL: nothing is seen. */
bool view_differs(const struct view *before, const struct view *after);

/* Whether any LU of view (NULL: nothing is seen) is this volume. */
bool view_shows(const struct view *view, const struct volume *volume);

/* As it is now: another thread may resize the volume at any time, and what was checked
 * against it is checked again by volume I/O. */
static inline uint64_t lu_block_count(const struct lu *lu)
{
    return volume_size_bytes(lu->volume) >> lu->block_shift;
}

static inline bool lu_is_limited(const struct lu *lu)
{
    return lu->limits[LU_OF_VOLUME] != NULL || lu->limits[LU_OF_HOST] != NULL;
}

static inline uint32_t lu_block_bytes(const struct lu *lu)
{
    return UINT32_C(1) << lu->block_shift;
}

#endif
