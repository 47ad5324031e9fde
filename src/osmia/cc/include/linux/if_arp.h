/* SPDX-License-Identifier: Apache-2.0 */
/* Stable types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <osmia/uapi.h>
#include <linux/types.h>
#ifndef ARPHRD_ETHER
#define ARPHRD_ETHER 1
#endif
#ifndef ARPHRD_LOOPBACK
#define ARPHRD_LOOPBACK 772
#endif
#ifndef ARPHRD_NONE
#define ARPHRD_NONE 0xFFFE
#endif
#ifndef ARPOP_REQUEST
#define ARPOP_REQUEST 1
#endif
#ifndef ARPOP_REPLY
#define ARPOP_REPLY 2
#endif
