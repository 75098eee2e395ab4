/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts and what they see: a host is a name and its initiator names; a mapping shows a
 * volume, or a snapshot to be read only, to a host under a LUN, of the target that all
 * share or of one that is the volume's own. Control thread. What an
 * initiator name means is the target's to know. */
#ifndef LUNMGR_HOST_H
#define LUNMGR_HOST_H

#include "lunmgr/auth.h"
#include "lunmgr/volume.h"

#include <stddef.h>

struct host;
struct mapping;

#define HOST_INITIATOR_MAX       224 /* with NUL: RFC 7143, 4.2.7.1 */
#define HOST_INITIATOR_COUNT_MAX 64
#define LUN_MAX                  16383
#define LUN_ANY                  0xffffU /* mapping_create: the lowest free one, from 0 */

struct host_spec {
    const char *name;
    const char *const *initiators;  /* names, or the one word "any": the open mode */
    size_t initiator_count;         /* 1 to HOST_INITIATOR_COUNT_MAX */
    const struct auth_change *auth; /* NULL: no credentials */
    const char *profile;            /* profile.h; NULL: linux */
    const struct qos_change *qos;   /* of all its sessions together; NULL: unlimited */
};

/* What is NULL stays as it is. */
struct host_change {
    const char *name;
    const char *const *initiators; /* take the place of all */
    size_t initiator_count;
    const struct auth_change *auth;
    /* -EBUSY: it has a mapping that such a host could not use. */
    const char *profile;
    const struct qos_change *qos;
};

struct host_info {
    char id[VOLUME_ID_MAX];
    char name[VOLUME_NAME_MAX];
    int64_t created_s;
    const char *const *initiators; /* borrowed with the host */
    size_t initiator_count;
    const struct auth *auth; /* the same; its secrets are not for showing */
    const char *profile;     /* static */
    struct qos qos;
    uint32_t mapping_count;
};

typedef void (*host_done_fn)(void *arg, struct host *host, const struct err *e);
void host_create(struct lunmgr *m, const struct host_spec *spec, host_done_fn done,
                 void *arg);
/* Answered when durable and seen by every reactor: from then on a login needs the new
 * credentials. Sessions of before stay, those of initiator names that are gone end. New
 * limits hold for all of them. */
void host_change(struct lunmgr *m, const char *name_or_id,
                 const struct host_change *change, host_done_fn done, void *arg);
/* -EBUSY while it has mappings. */
void host_delete(struct lunmgr *m, const char *name_or_id, done_fn done, void *arg);
struct host *host_find(struct lunmgr *m, const char *name_or_id);
struct host *host_next(struct lunmgr *m, const struct host *prev);
struct host *host_walk(struct lunmgr *m, struct row_walk *walk);
void host_describe(const struct host *host, struct host_info *out);

struct mapping_spec {
    const char *volume;   /* name or id; NULL with snapshot */
    const char *snapshot; /* NULL, or VOLUME/SNAPSHOT or an id: is shown read-only */
    const char *host;     /* name or id */
    uint16_t lun;         /* 0 to LUN_MAX, or LUN_ANY, which is 0 of an own target */
    bool read_only;       /* of a volume */
    bool own_target;      /* the LUN is of a target of the volume's own */
};

struct mapping_info {
    char id[VOLUME_ID_MAX];
    char volume_id[VOLUME_ID_MAX], volume_name[VOLUME_NAME_MAX];
    char snapshot_id[VOLUME_ID_MAX]; /* of that volume; "": the volume itself is shown */
    char snapshot_name[VOLUME_NAME_MAX];
    char host_id[VOLUME_ID_MAX], host_name[VOLUME_NAME_MAX];
    uint16_t lun;
    bool read_only;
    bool own_target;
    int64_t created_s;
};

typedef void (*mapping_done_fn)(void *arg, struct mapping *mapping, const struct err *e);
/* Answered when durable and seen by every reactor (lunmgr_events.access_changed has
 * answered). */
void mapping_create(struct lunmgr *m, const struct mapping_spec *spec,
                    mapping_done_fn done, void *arg);
/* By id, by VOLUME/HOST or by VOLUME/SNAPSHOT/HOST. Answered when no reactor has a
 * command of it any more. */
void mapping_delete(struct lunmgr *m, const char *id_or_pair, done_fn done, void *arg);
struct mapping *mapping_find(struct lunmgr *m, const char *id_or_pair);
/* In the order of host_next, then LUN, then, of own targets, id. */
struct mapping *mapping_next(struct lunmgr *m, const struct mapping *prev);
/* By mapping_key or by id. */
struct mapping *mapping_walk(struct lunmgr *m, struct row_walk *walk);
/* Grows in the order of mapping_next. */
#define MAPPING_KEY_MAX (VOLUME_NAME_MAX + VOLUME_ID_MAX + 8)
void mapping_key(const struct mapping *mapping, char key[MAPPING_KEY_MAX]);
void mapping_describe(const struct mapping *mapping, struct mapping_info *out);
struct volume *mapping_volume(const struct mapping *mapping);
struct host *mapping_host(const struct mapping *mapping);

#endif
