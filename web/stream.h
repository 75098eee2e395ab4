/* SPDX-License-Identifier: Apache-2.0 */
/* An answer that goes on: what is written to it is sent as it comes, until one of the two
 * ends it. Its connection takes no further request. Control thread. */
#ifndef WEB_STREAM_H
#define WEB_STREAM_H

#include <stdbool.h>
#include <stddef.h>

struct evbuffer;
struct exchange;
struct stream;

struct stream_owner {
    void *arg;
    void (*drained)(void *arg); /* all that was written is with the socket */
    void (*gone)(void *arg);    /* the stream has ended, however; it is freed */
};

/* Answers x with 200 and what follows. NULL: out of memory or HEAD, and x is answered. */
struct stream *stream_begin(struct exchange *x, const char *type,
                            const struct stream_owner *owner);
/* Takes what is in text. */
void stream_write(struct stream *stream, struct evbuffer *text);
/* Bytes that the socket has not taken yet. */
size_t stream_unsent(const struct stream *stream);
/* Whether its client may still have what it asked for: its token may be gone by now. */
bool stream_is_permitted(const struct stream *stream);
/* Throws away what its client says meanwhile. */
void stream_ignore_input(struct stream *stream);
/* In order, after what was written. Owner's gone is called then, or inside the call. */
void stream_end(struct stream *stream);
/* At once; gone is called inside the call. */
void stream_drop(struct stream *stream);

/* For http.c: the connection closes. Frees the stream. */
void stream_on_close(struct stream *stream);

#endif
