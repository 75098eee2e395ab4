/* SPDX-License-Identifier: Apache-2.0 */
/* At 250 us there and back 1 MiB under way is 4 GB/s. Beyond net.core.wmem_max only
 * CAP_NET_ADMIN may ask; what that leaves is taken. */
#include "target/send_buffer.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* glibc's tcp_info ends before the shortest round trip. */
static bool way_is_short(int fd)
{
    struct tcp_info info = {.tcpi_min_rtt = 0};
    socklen_t bytes = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) != 0 ||
        bytes < offsetof(struct tcp_info, tcpi_min_rtt) + sizeof(info.tcpi_min_rtt))
        return false;
    return info.tcpi_min_rtt <= SEND_BUFFER_ROUND_US;
}

void send_buffer_bound(int fd)
{
    int bytes = SEND_BUFFER_BYTES;
    if (way_is_short(fd) &&
        setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}
