/* SPDX-License-Identifier: Apache-2.0 */
/* Stable types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <osmia/uapi.h>
#include <linux/types.h>
#include <linux/socket.h>
#ifndef INADDR_ANY
#define INADDR_ANY 0x00000000U
#endif
#ifndef INADDR_BROADCAST
#define INADDR_BROADCAST 0xffffffffU
#endif
#ifndef INADDR_LOOPBACK
#define INADDR_LOOPBACK 0x7f000001U
#endif
#ifndef INADDR_NONE
#define INADDR_NONE 0xffffffffU
#endif
#ifndef SOL_IP
#define SOL_IP 0
#endif
#ifndef IP_TOS
#define IP_TOS 1
#endif
#ifndef IP_TTL
#define IP_TTL 2
#endif
