/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <vmlinux.h>
#include <net/sock.h>
#ifndef inet_daddr
#define inet_daddr sk.__sk_common.skc_daddr
#endif
#ifndef inet_rcv_saddr
#define inet_rcv_saddr sk.__sk_common.skc_rcv_saddr
#endif
#ifndef inet_dport
#define inet_dport sk.__sk_common.skc_dport
#endif
#ifndef inet_num
#define inet_num sk.__sk_common.skc_num
#endif
