/* SPDX-License-Identifier: Apache-2.0 */
/* Stable types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <osmia/uapi.h>
#include <linux/types.h>
#ifndef s6_addr
#define s6_addr in6_u.u6_addr8
#endif
#ifndef s6_addr16
#define s6_addr16 in6_u.u6_addr16
#endif
#ifndef s6_addr32
#define s6_addr32 in6_u.u6_addr32
#endif
#ifndef NEXTHDR_HOP
#define NEXTHDR_HOP 0
#endif
#ifndef NEXTHDR_TCP
#define NEXTHDR_TCP 6
#endif
#ifndef NEXTHDR_UDP
#define NEXTHDR_UDP 17
#endif
#ifndef NEXTHDR_IPV6
#define NEXTHDR_IPV6 41
#endif
#ifndef NEXTHDR_ROUTING
#define NEXTHDR_ROUTING 43
#endif
#ifndef NEXTHDR_FRAGMENT
#define NEXTHDR_FRAGMENT 44
#endif
#ifndef NEXTHDR_ESP
#define NEXTHDR_ESP 50
#endif
#ifndef NEXTHDR_AUTH
#define NEXTHDR_AUTH 51
#endif
#ifndef NEXTHDR_ICMP
#define NEXTHDR_ICMP 58
#endif
#ifndef NEXTHDR_NONE
#define NEXTHDR_NONE 59
#endif
#ifndef NEXTHDR_DEST
#define NEXTHDR_DEST 60
#endif
#ifndef SOL_IPV6
#define SOL_IPV6 41
#endif
#ifndef IPV6_TCLASS
#define IPV6_TCLASS 67
#endif
