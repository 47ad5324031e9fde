// SPDX-License-Identifier: Apache-2.0
// Ethernet, up to two VLAN tags, IPv4 or IPv6, UDP or TCP: is it for port 80 or 443?  No maps, no helpers.
#include "bench.h"

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86DD
#define ETH_P_8021Q 0x8100
#define ETH_P_8021AD 0x88A8

struct tag {
	__be16 tci, proto;
};

static __always_inline int wanted(__be16 port)
{
	return port == bpf_htons(80) || port == bpf_htons(443);
}

PROGRAM(parser)
{
	void *at = DATA, *end = END;
	struct ethhdr *eth = at;
	__be16 proto;
	__u8 next;

	at = eth + 1;
	if (at > end)
		return XDP_ABORTED;
	proto = eth->h_proto;
#pragma unroll
	for (int i = 0; i < 2; i++)
		if (proto == bpf_htons(ETH_P_8021Q) || proto == bpf_htons(ETH_P_8021AD)) {
			struct tag *tag = at;

			at = tag + 1;
			if (at > end)
				return XDP_ABORTED;
			proto = tag->proto;
		}
	if (proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = at;

		if ((void *)(ip + 1) > end || ip->ihl < 5)
			return XDP_ABORTED;
		next = ip->protocol;
		at += ip->ihl * 4;
	} else if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = at;

		at = ip + 1;
		if (at > end)
			return XDP_ABORTED;
		next = ip->nexthdr;
	} else {
		return XDP_PASS;
	}
	if (next == IPPROTO_UDP) {
		struct udphdr *udp = at;

		if ((void *)(udp + 1) > end)
			return XDP_ABORTED;
		return wanted(udp->dest) ? XDP_PASS : XDP_DROP;
	}
	if (next == IPPROTO_TCP) {
		struct tcphdr *tcp = at;

		if ((void *)(tcp + 1) > end)
			return XDP_ABORTED;
		return wanted(tcp->dest) ? XDP_PASS : XDP_DROP;
	}
	return XDP_PASS;
}
