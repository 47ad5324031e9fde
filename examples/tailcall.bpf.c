// SPDX-License-Identifier: Apache-2.0
// A chain of programs: the first looks at the Ethernet type and jumps to the program for that protocol.
// A tail call that finds its slot empty is no error: the program goes on after it.
//
//     osmia run examples/tailcall.bpf.c --pcap examples/packets.pcap --map-dump
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd

char LICENSE[] SEC("license") = "GPL";

enum slot { IPV4, IPV6, SLOTS };
enum counter { SEEN_IPV4, SEEN_IPV6, SEEN_OTHER, COUNTERS };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

static __always_inline void count(__u32 which)
{
	__u64 *n = bpf_map_lookup_elem(&seen, &which);

	if (n)
		__sync_fetch_and_add(n, 1);
}

SEC("xdp")
int parse_ipv4(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);

	count(SEEN_IPV4);
	if ((void *)(ip + 1) > end)
		return XDP_DROP;
	return ip->ttl ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int parse_ipv6(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ipv6hdr *ip = data + sizeof(struct ethhdr);

	count(SEEN_IPV6);
	if ((void *)(ip + 1) > end)
		return XDP_DROP;
	return ip->hop_limit ? XDP_PASS : XDP_DROP;
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, SLOTS);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *));
} next_program SEC(".maps") = {
	.values = { [IPV4] = &parse_ipv4, [IPV6] = &parse_ipv6 },
};

SEC("xdp")
int classify(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;

	if ((void *)(eth + 1) > end)
		return XDP_DROP;
	switch (bpf_ntohs(eth->h_proto)) {
	case ETH_P_IP:
		bpf_tail_call(ctx, &next_program, IPV4);
		break;
	case ETH_P_IPV6:
		bpf_tail_call(ctx, &next_program, IPV6);
		break;
	}
	count(SEEN_OTHER);
	return XDP_PASS;
}
