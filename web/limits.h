/* SPDX-License-Identifier: Apache-2.0 */
/* Every bound of the management API in one place. */
#ifndef WEB_LIMITS_H
#define WEB_LIMITS_H

#define WEB_HEADERS_BYTES_MAX       (16 * 1024)
#define WEB_BODY_BYTES_MAX          (1024 * 1024)
#define WEB_CONNECTIONS_MAX         128
#define WEB_TCP_CONNECTIONS_MAX     112 /* of them; the others are the Unix socket's */
#define WEB_ADDRESS_CONNECTIONS_MAX 32  /* of one address, or an IPv6 /64 */
#define WEB_IDLE_TIMEOUT_S          30  /* no byte either way */
#define WEB_REQUEST_TIMEOUT_S       60  /* from one answer to the next whole request */
#define WEB_TLS_TIMEOUT_S           10  /* a handshake; and the rest at the end */
#define WEB_AUTH_FAILURES_MAX       10  /* tokens not known, of one address, in ... */
#define WEB_AUTH_WINDOW_S           60
#define WEB_AUTH_LOCK_S             60 /* so long it is then not listened to */
#define WEB_AUTH_ADDRESSES_MAX      1024
#define WEB_ACCEPT_PAUSE_MS         500 /* when accept() fails, as without a free fd */
#define WEB_RETRY_AFTER_S           5
#define WEB_JSON_DEPTH_MAX          16
#define WEB_PARAM_MAX               64 /* a path parameter with its NUL */
#define WEB_PARAMS_MAX              3  /* in one path */
#define WEB_KEY_MAX                 (WEB_PARAMS_MAX * WEB_PARAM_MAX)
#define WEB_AFTER_MAX               128  /* what a row is listed by, with its NUL */
#define WEB_CURSOR_MAX              1024 /* these with their NULs */
#define WEB_FILTER_MAX              513
#define WEB_SORT_MAX                80
#define WEB_FIELDS_MAX              513
#define WEB_QUERY_VALUE_MAX         WEB_CURSOR_MAX /* the longest of them */
#define WEB_SLICE_US                3000
#define WEB_LIST_LIMIT_DEFAULT      100
#define WEB_LIST_LIMIT_MAX          1000
#define WEB_MEMBERS_MAX             16 /* of one request object */
#define WEB_PORTAL_COUNT_MAX        64 /* named in one mapping's attach facts */
#define WEB_STATUS_CLASSES          6
#define WEB_PATTERN_MAX             64 /* the path of a route with its NUL */
#define WEB_PROBLEM_POINTER_MAX     160
#define WEB_PROBLEM_ACCEPT_MAX      400
#define WEB_EVENTS_MAX              4096 /* kept in memory */
#define WEB_EVENT_BYTES_MAX         2048 /* one as JSON; a longer one loses its data */
#define WEB_STREAMS_MAX             32   /* clients that watch events */
#define WEB_FEEDS_MAX               8    /* lists of blocks being read */
#define WEB_STREAM_FILL_BYTES       (64 * 1024) /* that a stream's socket is given at once */
#define WEB_STREAM_UNSENT_MAX       (1024 * 1024) /* then the stream is dropped */
#define WEB_STREAM_INPUT_MAX        4096          /* what its client says is not read */
#define WEB_STREAM_BEAT_S           15   /* a sign of life; tokens are looked at */
#define WEB_STREAM_RETRY_MS         2000 /* told to clients, before they come again */
#define WEB_DAMPER_S                60
#define WEB_DAMPER_KEYS_MAX         128

#endif
