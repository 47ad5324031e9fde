/* SPDX-License-Identifier: Apache-2.0 */
/* Stable types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <osmia/uapi.h>
#include <linux/types.h>
#include <linux/socket.h>
#ifndef IFNAMSIZ
#define IFNAMSIZ 16
#endif
#ifndef IFALIASZ
#define IFALIASZ 256
#endif
#ifndef IFF_UP
#define IFF_UP 1
#endif
#ifndef IFF_BROADCAST
#define IFF_BROADCAST 2
#endif
#ifndef IFF_LOOPBACK
#define IFF_LOOPBACK 8
#endif
#ifndef IFF_POINTOPOINT
#define IFF_POINTOPOINT 16
#endif
#ifndef IFF_RUNNING
#define IFF_RUNNING 64
#endif
#ifndef IFF_NOARP
#define IFF_NOARP 128
#endif
#ifndef IFF_PROMISC
#define IFF_PROMISC 256
#endif
