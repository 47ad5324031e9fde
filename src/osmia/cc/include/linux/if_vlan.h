/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel types under the name that programs know. Written by tools/gen_fronts.py: do not edit. */
#pragma once
#include <vmlinux.h>
#include <linux/if_ether.h>
#ifndef VLAN_HLEN
#define VLAN_HLEN 4
#endif
#ifndef VLAN_ETH_HLEN
#define VLAN_ETH_HLEN 18
#endif
#ifndef VLAN_VID_MASK
#define VLAN_VID_MASK 0x0fff
#endif
#ifndef VLAN_PRIO_MASK
#define VLAN_PRIO_MASK 0xe000
#endif
#ifndef VLAN_PRIO_SHIFT
#define VLAN_PRIO_SHIFT 13
#endif
#ifndef VLAN_N_VID
#define VLAN_N_VID 4096
#endif
