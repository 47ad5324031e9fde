/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <vmlinux.h>
#include <linux/in.h>
#include <linux/in6.h>
#ifndef NF_DROP
#define NF_DROP 0
#endif
#ifndef NF_ACCEPT
#define NF_ACCEPT 1
#endif
#ifndef NF_STOLEN
#define NF_STOLEN 2
#endif
#ifndef NF_QUEUE
#define NF_QUEUE 3
#endif
#ifndef NF_REPEAT
#define NF_REPEAT 4
#endif
