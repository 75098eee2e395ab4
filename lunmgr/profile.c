/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds of initiators. Pure. */
#include "lunmgr/profile.h"

#include "db/catalog.h"
#include "lunmgr/host.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static_assert(PROFILE_NAME_MAX == CATALOG_PROFILE_MAX, "a name fits its column");

static const struct profile profiles[] = {
    {"linux", 0, LUN_MAX, 0, 0, false},
    /* Its iSCSI driver takes a user and a password, and no second pair. */
    {"qemu", 0, LUN_MAX, 0, 0, true},
    /* Its storage manager cannot make a repository on 4096-byte blocks. */
    {"xen", 512, LUN_MAX, 0, 0, false},
    /* VMFS wants 512-byte blocks; Disk.MaxLUN is 1024 unless it was changed. */
    {"esxi", 512, 1023, 0, 0, false},
    /* 255 units a target; its initiator takes secrets of 12 to 16 bytes. */
    {"windows", 0, 254, 12, 16, false},
};

void profile_list(char out[PROFILE_LIST_MAX])
{
    size_t last = ARRAY_LEN(profiles) - 1, used = 0;
    for (size_t i = 0; i <= last && used < PROFILE_LIST_MAX; i++)
        used += (size_t)snprintf(out + used, PROFILE_LIST_MAX - used, "%s%s",
                                 i == 0      ? ""
                                 : i == last ? " or "
                                             : ", ",
                                 profiles[i].name);
    assert(used < PROFILE_LIST_MAX);
}

const struct profile *profile_find(const char *name, struct err *e)
{
    if (name[0] == '\0')
        return &profiles[0];
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    }
    char names[PROFILE_LIST_MAX];
    profile_list(names);
    (void)err_set(e, -EINVAL, "profile", "%s is wanted", names);
    return NULL;
}

int profile_takes_unit(const struct profile *p, uint32_t block_bytes, uint16_t lun,
                       struct err *e)
{
    if (p->block_bytes != 0 && block_bytes != p->block_bytes)
        return err_set(e, -EINVAL, "volume",
                       "a host of the profile %s cannot use logical blocks of %u bytes: "
                       "%u is wanted",
                       p->name, block_bytes, p->block_bytes);
    if (lun > p->lun_max)
        return err_set(e, -EINVAL, "lun",
                       "a host of the profile %s looks at LUNs from 0 to %u", p->name,
                       p->lun_max);
    return 0;
}

static int secret_fits(const struct profile *p, const struct secret *secret,
                       const char *field, const char *member, struct err *e)
{
    char path[ERR_FIELD_MAX];
    if (secret->bytes == 0 || p->secret_max == 0 ||
        (secret->bytes >= p->secret_min && secret->bytes <= p->secret_max))
        return 0;
    snprintf(path, sizeof(path), "%s/%s", field, member);
    return err_set(e, -EINVAL, path,
                   "a host of the profile %s takes secrets of %u to %u bytes", p->name,
                   p->secret_min, p->secret_max);
}

int profile_takes_auth(const struct profile *p, const struct auth *auth,
                       const char *field, struct err *e)
{
    if (p->lacks_mutual_chap && auth->mutual_user[0] != '\0') {
        char path[ERR_FIELD_MAX];
        snprintf(path, sizeof(path), "%s/mutual_user", field);
        return err_set(e, -EINVAL, path,
                       "a host of the profile %s cannot check who the target is: leave "
                       "mutual_user and mutual_secret out",
                       p->name);
    }
    int rc = secret_fits(p, &auth->secret, field, "secret", e);
    return rc != 0 ? rc : secret_fits(p, &auth->mutual_secret, field, "mutual_secret", e);
}
