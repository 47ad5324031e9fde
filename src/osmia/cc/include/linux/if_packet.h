/* SPDX-License-Identifier: Apache-2.0 */
/* Stable types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <osmia/uapi.h>
#include <linux/types.h>
#ifndef PACKET_HOST
#define PACKET_HOST 0
#endif
#ifndef PACKET_BROADCAST
#define PACKET_BROADCAST 1
#endif
#ifndef PACKET_MULTICAST
#define PACKET_MULTICAST 2
#endif
#ifndef PACKET_OTHERHOST
#define PACKET_OTHERHOST 3
#endif
#ifndef PACKET_OUTGOING
#define PACKET_OUTGOING 4
#endif
#ifndef PACKET_LOOPBACK
#define PACKET_LOOPBACK 5
#endif
