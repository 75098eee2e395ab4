/* SPDX-License-Identifier: Apache-2.0 */
/* Every bound of the management API in one place. */
#ifndef WEB_LIMITS_H
#define WEB_LIMITS_H

#define WEB_HEADERS_BYTES_MAX   (16 * 1024)
#define WEB_BODY_BYTES_MAX      (1024 * 1024)
#define WEB_CONNECTIONS_MAX     128
#define WEB_IDLE_TIMEOUT_S      30  /* no byte either way */
#define WEB_REQUEST_TIMEOUT_S   60  /* from one answer to the next whole request */
#define WEB_ACCEPT_PAUSE_MS     500 /* when accept() fails, as without a free fd */
#define WEB_RETRY_AFTER_S       5
#define WEB_JSON_DEPTH_MAX      16
#define WEB_PARAM_MAX           64 /* a path parameter with its NUL */
#define WEB_PARAMS_MAX          3  /* in one path */
#define WEB_KEY_MAX             (WEB_PARAMS_MAX * WEB_PARAM_MAX)
#define WEB_AFTER_MAX           128  /* what a row is listed by, with its NUL */
#define WEB_CURSOR_MAX          1024 /* these with their NULs */
#define WEB_FILTER_MAX          513
#define WEB_SORT_MAX            80
#define WEB_FIELDS_MAX          513
#define WEB_QUERY_VALUE_MAX     WEB_CURSOR_MAX /* the longest of them */
#define WEB_SLICE_US            3000
#define WEB_LIST_LIMIT_DEFAULT  100
#define WEB_LIST_LIMIT_MAX      1000
#define WEB_MEMBERS_MAX         16 /* of one request object */
#define WEB_PORTAL_COUNT_MAX    64 /* named in one mapping's attach facts */
#define WEB_STATUS_CLASSES      6
#define WEB_PROBLEM_POINTER_MAX 160
#define WEB_PROBLEM_ACCEPT_MAX  400

#endif
