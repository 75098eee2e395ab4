/* SPDX-License-Identifier: Apache-2.0 */
/* How much of a connection's output waits in the kernel. Left alone, Linux lets it grow
 * to megabytes, whose memory has left the processor's cache when it is used again: what
 * is copied into the socket then costs twice as much. Any thread. */
#ifndef TARGET_SEND_BUFFER_H
#define TARGET_SEND_BUFFER_H

#define SEND_BUFFER_BYTES (512U << 10) /* asked for; the kernel counts double */
#define SEND_BUFFER_ROUND_US                                                             \
    250 /* the longest way there and back for which it is enough */

/* Bounds the send buffer of a connected TCP socket whose way is short, as told by its
 * handshake; over a longer one more has to be under way, and Linux measures it out. A
 * socket that does not let itself be bounded is left as it is. */
void send_buffer_bound(int fd);

#endif
