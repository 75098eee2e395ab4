/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a request's JSON strictly: unknown members, duplicates, wrong types and values
 * out of range are refused, and the problem names the member. The first problem sticks;
 * after it every read answers its default, so that a handler reads straight down and
 * looks once. Pure; any thread. */
#ifndef WEB_JSON_IN_H
#define WEB_JSON_IN_H

#include "web/problem.h"

#include <stddef.h>
#include <stdint.h>

/* The members of a request object, as the OpenAPI document names the object. */
struct schema {
    const char *name;
    const char *members[WEB_MEMBERS_MAX]; /* NULL after the last */
};

struct input {
    const json_t *object;
    char base[WEB_PROBLEM_POINTER_MAX]; /* pointer of the object; "": the body itself */
    struct problem *problem;
};

/* Whether field names a member of schema, or leads into one: "devices/0/path". */
bool schema_has_field(const struct schema *schema, const char *field);

enum input_need { INPUT_OPTIONAL, INPUT_REQUIRED };

/* The body as an object, or NULL and a problem. length 0 is a problem too. */
json_t *input_parse(const char *text, size_t length, struct problem *problem);

/* Begins to read value, which stands at base, as the object that schema lists; refuses
 * what is no object, and members that schema does not list. */
void input_begin(struct input *in, const json_t *value, const char *base,
                 const struct schema *schema, struct problem *problem);
/* True while nothing was refused. */
bool input_good(const struct input *in);
/* Refuses the member with text that says why. */
void input_refuse(struct input *in, const char *member, const char *accepted,
                  const char *fmt, ...) PRINTF_LIKE(4, 5);

/* A new object's name: [A-Za-z0-9][A-Za-z0-9._-]*, at most 63 bytes, not in the form of
 * an id. NULL after a problem or if absent. */
const char *input_name(struct input *in, const char *member, enum input_need need);
/* The name or the id of something else. NULL after a problem or if absent. */
const char *input_reference(struct input *in, const char *member, enum input_need need);
/* The same of a snapshot: VOLUME/SNAPSHOT, NAME or an id. */
const char *input_snapshot(struct input *in, const char *member, enum input_need need);
/* 1 to max_bytes bytes without control characters; NULL after a problem or if absent. */
const char *input_string(struct input *in, const char *member, enum input_need need,
                         size_t max_bytes);
/* A size: an integer of bytes, or a string such as "100GiB". fallback if absent. */
uint64_t input_bytes(struct input *in, const char *member, enum input_need need,
                     uint64_t min, uint64_t max, uint64_t fallback);
uint64_t input_uint(struct input *in, const char *member, enum input_need need,
                    uint64_t min, uint64_t max, uint64_t fallback);
/* A time to come, in seconds since 1970: RFC 3339 in UTC, or from now on: "30d". 0 if
 * absent. */
int64_t input_time(struct input *in, const char *member);
bool input_bool(struct input *in, const char *member, bool fallback);
/* room, set; NULL after a problem or if absent. */
const bool *input_flag(struct input *in, const char *member, bool *room);
/* An object; NULL after a problem or if absent. */
const json_t *input_object(struct input *in, const char *member);
/* Of min to max elements; NULL after a problem. */
const json_t *input_array(struct input *in, const char *member, size_t min, size_t max);

/* Whether text has the form of a name, a byte below 20h or 7Fh, the form of a UUID. */
bool name_is_valid(const char *text);
bool text_has_control(const char *text);
bool text_is_uuid(const char *text);

#endif
