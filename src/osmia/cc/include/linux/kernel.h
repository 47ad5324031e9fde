/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <vmlinux.h>
#include <linux/compiler.h>
#include <linux/bits.h>
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif
#ifndef __KERNEL_DIV_ROUND_UP
#define __KERNEL_DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#endif
#ifndef DIV_ROUND_UP
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#endif
