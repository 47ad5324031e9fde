// SPDX-License-Identifier: Apache-2.0
// The smallest useful XDP filter: drops UDP to port 9999, passes the rest.
#include "bench.h"

#define ETH_P_IP 0x0800

PROGRAM(small_filter)
{
	struct ethhdr *eth = DATA;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);

	if ((void *)(udp + 1) > END || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	return ip->protocol == IPPROTO_UDP && udp->dest == bpf_htons(9999) ? XDP_DROP : XDP_PASS;
}
