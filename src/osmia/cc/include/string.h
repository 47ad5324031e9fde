/* SPDX-License-Identifier: Apache-2.0 */
/* Macros under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <stddef.h>
#ifndef memcpy
#define memcpy(dst, src, n) __builtin_memcpy(dst, src, n)
#endif
#ifndef memmove
#define memmove(dst, src, n) __builtin_memmove(dst, src, n)
#endif
#ifndef memset
#define memset(dst, byte, n) __builtin_memset(dst, byte, n)
#endif
#ifndef memcmp
#define memcmp(a, b, n) __builtin_memcmp(a, b, n)
#endif
