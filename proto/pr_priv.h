/* SPDX-License-Identifier: Apache-2.0 */
/* What pr.c and pr_port.c share. */
#ifndef PROTO_PR_PRIV_H
#define PROTO_PR_PRIV_H

#define TRANSPORT_FORMAT_BIT 7 /* TPID FORMAT, in byte 0 of a TransportID */

#endif
