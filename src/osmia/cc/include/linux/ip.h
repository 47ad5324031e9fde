/* SPDX-License-Identifier: Apache-2.0 */
/* Stable types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <osmia/uapi.h>
#include <linux/types.h>
#ifndef IPVERSION
#define IPVERSION 4
#endif
#ifndef IPDEFTTL
#define IPDEFTTL 64
#endif
#ifndef IPTOS_TOS_MASK
#define IPTOS_TOS_MASK 0x1E
#endif
#ifndef IP_CE
#define IP_CE 0x8000
#endif
#ifndef IP_DF
#define IP_DF 0x4000
#endif
#ifndef IP_MF
#define IP_MF 0x2000
#endif
#ifndef IP_OFFSET
#define IP_OFFSET 0x1FFF
#endif
#ifndef MAXTTL
#define MAXTTL 255
#endif
