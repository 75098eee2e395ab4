/* SPDX-License-Identifier: Apache-2.0 */
/* The logical unit that the tests of inquiry, mode and capability data ask. */
#ifndef TESTS_UNIT_PROTO_LU_H
#define TESTS_UNIT_PROTO_LU_H

#include "proto/lu_ident.h"

static const uint16_t test_port_tags[] = {1, 2, 0x1234};

/* 512e, thin, 10 GiB. */
static const struct lu_ident test_lu = {
    .naa = {0x60, 0x01, 0x40, 0x5a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
    .serial = "0123456789abcdef",
    .revision = "0.1",
    .blocks = 20971520,
    .block_bytes = 512,
    .physical_exponent = 3,
    .thin = true,
    .transfer_blocks_max = 32768,
    .transfer_blocks_optimal = 2048,
    .granularity_blocks = 8,
    .unmap_blocks_max = 4194304,
    .unmap_descriptors_max = 256,
    .unmap_granularity_blocks = 128,
    .threshold_exponent = 7,
    .write_same_blocks_max = 65536,
    .caw_blocks_max = 255,
    .atomic_blocks_max = 2048,
    .atomic_grain_blocks = 8,
    .target_name = "iqn.2026-01.example.ashlar:t",
    .portal_group_tag = 1,
    .relative_port = 2,
    .port_group = 3,
    .port_tags = test_port_tags,
    .port_count = 3,
};

#endif
