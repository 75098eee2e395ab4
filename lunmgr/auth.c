/* SPDX-License-Identifier: Apache-2.0 */
/* CHAP credentials: what is accepted (see auth.h). Pure. */
#include "lunmgr/auth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define USER_ACCEPTED   "1 to 255 printable ASCII characters without spaces are wanted"
#define SECRET_ACCEPTED "12 to 255 printable ASCII characters are wanted"

static int auth_refuse(struct err *e, const char *at, const char *member,
                       const char *text)
{
    char field[ERR_FIELD_MAX];
    snprintf(field, sizeof(field), "%s/%s", at, member);
    return err_set(e, -EINVAL, field, "%s", text);
}

/* Whether all of text is from lowest to ~. */
static bool text_is_printable(const char *text, char lowest)
{
    for (; *text != '\0'; text++) {
        if (*text < lowest || *text > '~')
            return false;
    }
    return true;
}

static bool user_set(char user[AUTH_USER_MAX], const char *text)
{
    size_t bytes = strlen(text);
    if (bytes == 0 || bytes >= AUTH_USER_MAX || !text_is_printable(text, '!'))
        return false;
    memcpy(user, text, bytes + 1);
    return true;
}

static bool secret_set(struct secret *secret, const char *text)
{
    size_t bytes = strlen(text);
    if (bytes < AUTH_SECRET_BYTES || bytes > AUTH_SECRET_BYTES_MAX ||
        !text_is_printable(text, ' '))
        return false;
    *secret = (struct secret){.bytes = bytes};
    memcpy(secret->value, text, bytes);
    return true;
}

static int auth_set_texts(struct auth *auth, const struct auth_change *change,
                          const char *at, struct err *e)
{
    if (change->user != NULL && !user_set(auth->user, change->user))
        return auth_refuse(e, at, "user", USER_ACCEPTED);
    if (change->secret != NULL && !secret_set(&auth->secret, change->secret))
        return auth_refuse(e, at, "secret", SECRET_ACCEPTED);
    if (change->mutual_user != NULL && !user_set(auth->mutual_user, change->mutual_user))
        return auth_refuse(e, at, "mutual_user", USER_ACCEPTED);
    if (change->mutual_secret != NULL &&
        !secret_set(&auth->mutual_secret, change->mutual_secret))
        return auth_refuse(e, at, "mutual_secret", SECRET_ACCEPTED);
    return 0;
}

/* One secret both ways lets an initiator answer our challenge with our own answer:
 * RFC 7143, 9.2.1. */
static bool secrets_agree(const struct auth *auth)
{
    return auth->secret.bytes == auth->mutual_secret.bytes &&
           memcmp(auth->secret.value, auth->mutual_secret.value, auth->secret.bytes) == 0;
}

static int auth_check(const struct auth *auth, const char *at, struct err *e)
{
    bool mutual_user = auth->mutual_user[0] != '\0';
    bool mutual_secret = auth->mutual_secret.bytes > 0;
    if (auth->user[0] == '\0')
        return auth_refuse(e, at, "user", "the method chap needs one");
    if (auth->secret.bytes == 0)
        return auth_refuse(e, at, "secret", "the method chap needs one");
    if (mutual_user && !mutual_secret)
        return auth_refuse(e, at, "mutual_secret", "mutual_user needs one");
    if (mutual_secret && !mutual_user)
        return auth_refuse(e, at, "mutual_user", "mutual_secret needs one");
    if (mutual_secret && secrets_agree(auth))
        return auth_refuse(e, at, "mutual_secret",
                           "another than secret is wanted: the same both ways "
                           "proves nothing");
    return 0;
}

static int auth_set_addresses(struct cidr_list *list, const struct auth_change *change,
                              struct err *e)
{
    if (change->address_count > CIDR_LIST_MAX)
        return err_set(e, -EINVAL, "addresses", "at most %d ranges are wanted",
                       CIDR_LIST_MAX);
    *list = (struct cidr_list){.count = change->address_count};
    for (size_t i = 0; i < change->address_count; i++) {
        char field[ERR_FIELD_MAX];
        if (cidr_parse(change->addresses[i], &list->ranges[i]) == 0)
            continue;
        snprintf(field, sizeof(field), "addresses/%zu", i);
        return err_set(e, -EINVAL, field,
                       "an address or a range such as 192.0.2.0/24 or 2001:db8::/32, "
                       "with no bits beyond its length, is wanted");
    }
    return 0;
}

static bool change_has_texts(const struct auth_change *change)
{
    return change->user != NULL || change->secret != NULL ||
           change->mutual_user != NULL || change->mutual_secret != NULL;
}

int auth_apply(struct auth *auth, const struct auth_change *change, const char *at,
               struct err *e)
{
    int rc =
        change->addresses == NULL ? 0 : auth_set_addresses(&auth->addresses, change, e);
    if (rc != 0)
        return rc;
    auth->revision++;
    if (change->forbid_md5 != NULL)
        auth->forbid_md5 = *change->forbid_md5;
    if (change->chap != NULL) {
        struct auth kept = {.addresses = auth->addresses,
                            .forbid_md5 = auth->forbid_md5,
                            .revision = auth->revision};
        auth_wipe(auth);
        *auth = kept;
        auth->chap = *change->chap;
    }
    if (!auth->chap)
        return change_has_texts(change)
                   ? auth_refuse(e, at, "method", "credentials need the method chap")
                   : 0;
    rc = auth_set_texts(auth, change, at, e);
    return rc != 0 ? rc : auth_check(auth, at, e);
}
