/* SPDX-License-Identifier: Apache-2.0 */
/* Entity tags (RFC 9110, 8.8.3), made of what a client can set: not of counters and
 * usage, which change while nobody changes the resource. Control thread. */
#include "web/resource.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define HASH_BYTES 32 /* SHA-256 */
#define CUT_BYTES  16

static_assert(ETAG_MAX >= 2 * CUT_BYTES + 3, "hex, quotes and NUL");

static void hash_text(EVP_MD_CTX *hash, const char *text)
{
    (void)EVP_DigestUpdate(hash, text, strlen(text) + 1);
}

static int hash_piece(const char *text, size_t length, void *hash)
{
    return EVP_DigestUpdate(hash, text, length) == 1 ? 0 : -1;
}

/* A member that memory does not do for is left out: an If-Match then fails, as is safe.
 */
static void hash_column(EVP_MD_CTX *hash, const struct web *web, const struct column *c,
                        const void *info)
{
    json_t *value = column_json(web, c, info);
    hash_text(hash, c->name);
    (void)json_dump_callback(value, hash_piece, hash,
                             JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    hash_text(hash, "");
    json_decref(value);
}

/* All zeros without memory. */
static void hash_info(const struct web *web, const struct resource *r, const void *info,
                      uint8_t digest[HASH_BYTES])
{
    char room[RESOURCE_ID_MAX];
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1) {
        hash_text(hash, r->kind);
        hash_text(hash, resource_id(r, info, room));
        for (const struct column *c = r->columns; c->name != NULL; c++) {
            if (c->settable)
                hash_column(hash, web, c, info);
        }
        (void)EVP_DigestFinal_ex(hash, digest, NULL);
    }
    EVP_MD_CTX_free(hash);
}

static void put_tag(const uint8_t digest[HASH_BYTES], char out[ETAG_MAX])
{
    size_t at = (size_t)snprintf(out, ETAG_MAX, "\"");
    for (size_t i = 0; i < CUT_BYTES; i++)
        at += (size_t)snprintf(out + at, ETAG_MAX - at, "%02x", digest[i]);
    snprintf(out + at, ETAG_MAX - at, "\"");
}

int etag_make_key(uint8_t key[WEB_TAG_KEY_BYTES], struct err *e)
{
    return RAND_bytes(key, WEB_TAG_KEY_BYTES) == 1
               ? 0
               : err_set(e, -EIO, NULL, "no random bytes for the keys of entity tags");
}

void etag_secret(const struct web *web, const void *secret, size_t bytes,
                 char out[ETAG_MAX])
{
    uint8_t digest[EVP_MAX_MD_SIZE] = {0};
    (void)HMAC(EVP_sha256(), web->tag_key, sizeof(web->tag_key), secret, bytes, digest,
               NULL);
    put_tag(digest, out);
}

void resource_info_etag(const struct web *web, const struct resource *r, const void *info,
                        char out[ETAG_MAX])
{
    uint8_t digest[HASH_BYTES] = {0};
    hash_info(web, r, info, digest);
    put_tag(digest, out);
}

void resource_etag(const struct web *web, const struct resource *r, const void *object,
                   char out[ETAG_MAX])
{
    union resource_room room;
    resource_info_etag(web, r, resource_info(web, r, object, &room), out);
}

bool etag_is_named(const char *header, const char *etag, bool weak)
{
    size_t length = strlen(etag);
    const char *at = header + strspn(header, " \t,");
    if (*at == '*')
        return true;
    while (*at != '\0') {
        bool is_weak = at[0] == 'W' && at[1] == '/';
        at += is_weak ? 2 : 0;
        if ((weak || !is_weak) && strncmp(at, etag, length) == 0)
            return true;
        if (*at == '"') /* to the tag's end: it may have a comma in it */
            at += 1 + strcspn(at + 1, "\"");
        at += strcspn(at, ",");
        at += strspn(at, " \t,");
    }
    return false;
}
