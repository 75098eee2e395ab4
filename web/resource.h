/* SPDX-License-Identifier: Apache-2.0 */
/* A kind of resource as the API shows it: its members as one const table, from which its
 * JSON, its lists, what it is shown as alone and its entity tag come. Control thread. */
#ifndef WEB_RESOURCE_H
#define WEB_RESOURCE_H

#include "base/err.h"
#include "lunmgr/row_walk.h"
#include "web/json_text.h"
#include "web/server.h"

#include <jansson.h>
#include <stddef.h>

struct exchange;
struct principal;
struct label_list;
struct problem;

enum column_kind {
    COLUMN_TEXT,  /* a char array; shown as ASCII, whatever is in it */
    COLUMN_UINT,  /* of 1, 2, 4 or 8 bytes */
    COLUMN_BYTES, /* the same, a size */
    COLUMN_ID,    /* the same, shown as text */
    COLUMN_BOOL,
    COLUMN_TIME,   /* int64_t, seconds since 1970 */
    COLUMN_LABELS, /* struct label_list */
    COLUMN_JSON,
};

struct column {
    const char *name;
    enum column_kind kind;
    size_t offset, bytes; /* in the resource's info: COLUMN_AT */
    bool nullable;        /* "" or 0 is shown as null */
    bool settable;        /* a client can set it: part of the entity tag */
    bool hidden;          /* part of the entity tag alone */
    const char *(*text)(const void *info); /* COLUMN_TEXT that stands in no array */
    /* COLUMN_JSON: one of the two. render's NULL: out of memory. */
    json_t *(*render)(const struct web *web, const void *info);
    void (*put)(struct json_text *out, const struct web *web, const void *info);
};
#define COLUMN_AT(type, member)                                                          \
    .offset = offsetof(type, member), .bytes = sizeof(((type *)NULL)->member)

enum agreement { AGREEMENT_UNKNOWN, AGREEMENT_YES, AGREEMENT_NO };

/* Objects are borrowed until control returns to the loop. */
struct resource {
    const char *kind;             /* "volume", as problems and events name it */
    const char *what;             /* what there is none of, in a 404; NULL: kind */
    const char *collection;       /* "/v1/volumes" */
    size_t info_bytes;            /* at most RESOURCE_INFO_MAX */
    const struct column *columns; /* name NULL ends */
    /* What a path names: NAME, ID, A/B ...; also what key said. NULL: there is none. */
    void *(*find)(const struct web *web, const char *name);
    /* The first after walk->after, which is what key said, or an id. */
    void *(*next)(const struct web *web, struct row_walk *walk);
    void (*describe)(const struct web *web, const void *object, void *info);
    /* Grows in the order of a walk by name. */
    void (*key)(const void *object, const void *info, char key[WEB_AFTER_MAX]);
    /* QUERY_VOLUME, or a list whose path names what it is a part of: what the keys of
     * that one's rows begin with, up to what grows. False: there is no such thing. */
    const char *whole; /* "volume": what it is; NULL: there are no such lists */
    bool (*part)(const struct web *web, const char *name, char prefix[WEB_AFTER_MAX]);
    /* A walk has one order, and no change of a row changes its key. Else ids are so. */
    bool key_is_id;
    /* Whether a list shows the row to who asks for it. NULL: all of them, to everyone. */
    bool (*is_shown)(const void *info, const struct principal *who);
    bool is_single; /* there is one, and its collection is its path */
    /* Whether value, which a request says of member, is so already, for what the object's
     * JSON does not tell: a secret. NULL: nothing of that kind. */
    enum agreement (*agrees)(const struct web *web, const void *object,
                             const char *member, const json_t *value);
    /* A member that a request may say of an object and its JSON does not tell: agrees
     * knows it. NULL: none. */
    const char *untold;
    /* Where the objects live elsewhere: asks for copies of all of them, in order of key,
     * and calls x->loaded with them unless the client is gone. find and next are NULL
     * then, describe too: a copy is an info. NULL: they are here. */
    void (*load)(struct exchange *x);
};

#define RESOURCE_INFO_MAX 8192
union resource_room {
    char bytes[RESOURCE_INFO_MAX];
    uint64_t align;
};
/* The object's info: in room, or the object itself. */
const void *resource_info(const struct web *web, const struct resource *r,
                          const void *object, union resource_room *room);

/* For key: of a name, and of a number, so that text sorts as numbers do. */
void text_key(char key[WEB_AFTER_MAX], const char *text);
void number_key(char key[WEB_AFTER_MAX], uint64_t number);

/* NULL: there is no such member that is shown. */
const struct column *resource_column(const struct resource *r, const char *name);
/* The names of those that which says, for a problem: "id, name, labels"; of_labels is put
 * behind that of labels. */
void resource_members(const struct resource *r, bool (*which)(const struct column *c),
                      const char *of_labels, char *out, size_t room);
const struct label_list *member_labels(const struct column *c, const void *info);
const char *member_text(const struct column *c, const void *info);
uint64_t member_number(const struct column *c, const void *info);
void member_put(struct json_text *out, const struct web *web, const struct column *c,
                const void *info);

/* NULL: out of memory. */
json_t *resource_json(const struct web *web, const struct resource *r,
                      const void *object);
/* The same of its info, those members alone whose bits are set, in the order of the
 * table; at least one is. */
#define RESOURCE_ALL_FIELDS UINT64_MAX
void resource_put(struct json_text *out, const struct web *web, const struct resource *r,
                  const void *info, uint64_t fields);

/* "name,size" as such bits; "": all. False and a problem that names the parameter fields.
 */
bool resource_fields(const struct resource *r, const char *text, uint64_t *out,
                     struct problem *problem);

/* The id as the API shows it, in room or borrowed from info. "": it has none. */
#define RESOURCE_ID_MAX 40
const char *resource_id(const struct resource *r, const void *info,
                        char room[RESOURCE_ID_MAX]);
/* Strong, quoted: a hash over the id and the settable members. */
#define ETAG_MAX 40
void resource_etag(const struct web *web, const struct resource *r, const void *object,
                   char out[ETAG_MAX]);
void resource_info_etag(const struct web *web, const struct resource *r, const void *info,
                        char out[ETAG_MAX]);
/* Whether If-Match or If-None-Match, as header has it, names etag. weak: W/ does not
 * matter, as for the latter (RFC 9110, 8.8.3.2). */
bool etag_is_named(const char *header, const char *etag, bool weak);

/* The handlers of every list and of every show, by x->route->resource. */
void api_list(struct exchange *x);
/* With the entity tag; 304 if the client has that one already. */
void api_show(struct exchange *x);

#endif
