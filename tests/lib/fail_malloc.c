/* SPDX-License-Identifier: Apache-2.0 */
/* The wrappers. op_new() is spared: it ends the process, by design (lunmgr/op.h). */
#include "tests/lib/fail_malloc.h"

#include "lunmgr/op.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* op_new() is shorter; what follows it in its file allocates nothing. */
#define OP_NEW_BYTES 1024

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

static atomic_int left; /* until the one that fails; 0: not armed, or over */
static atomic_bool has_failed;

void fail_malloc_arm(unsigned nth)
{
    atomic_store(&has_failed, false);
    atomic_store(&left, (int)nth);
}

bool fail_malloc_disarm(void)
{
    atomic_store(&left, 0);
    return atomic_load(&has_failed);
}

static bool is_spared(const void *caller)
{
    return (uintptr_t)caller - (uintptr_t)op_new < OP_NEW_BYTES;
}

static bool strikes(const void *caller)
{
    int now = atomic_load(&left);
    if (now == 0 || is_spared(caller))
        return false;
    while (now > 0 && !atomic_compare_exchange_weak(&left, &now, now - 1))
        ;
    if (now == 1)
        atomic_store(&has_failed, true);
    return now == 1;
}

void *__wrap_malloc(size_t bytes)
{
    return strikes(__builtin_return_address(0)) ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return strikes(__builtin_return_address(0)) ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    return strikes(__builtin_return_address(0)) ? NULL : __real_realloc(old, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return strikes(__builtin_return_address(0)) ? NULL
                                                : __real_aligned_alloc(alignment, bytes);
}
