// SPDX-License-Identifier: Apache-2.0
// A socket filter with two subprograms: one reads the port, one judges it.  Keeps the first 96 bytes of DNS.
//
//     osmia run examples/subprogs.bpf.c --pcap examples/packets.pcap
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#define ETH_HLEN 14
#define ETH_P_IP 0x0800
#define DNS 53
#define KEEP 96

char LICENSE[] SEC("license") = "GPL";

static __noinline int udp_port(struct __sk_buff *skb)
{
	__u8 head = 0, protocol = 0;
	__be16 port = 0;

	if (skb->protocol != bpf_htons(ETH_P_IP))
		return -1;
	bpf_skb_load_bytes(skb, ETH_HLEN, &head, sizeof(head));
	bpf_skb_load_bytes(skb, ETH_HLEN + 9, &protocol, sizeof(protocol));
	if (protocol != IPPROTO_UDP)
		return -1;
	if (bpf_skb_load_bytes(skb, ETH_HLEN + (head & 15) * 4 + 2, &port, sizeof(port)))
		return -1;
	return bpf_ntohs(port);
}

static __noinline int keep(int port)
{
	return port == DNS ? KEEP : 0;
}

SEC("socket")
int dns_only(struct __sk_buff *skb)
{
	return keep(udp_port(skb));
}
