// SPDX-License-Identifier: Apache-2.0
// A firewall: networks that are blocked (LPM trie), services that are open (hash of protocol and port), flows seen
// (LRU hash), verdicts counted on each CPU.
#include "bench.h"

#define ETH_P_IP 0x0800

struct network {
	__u32 bits;
	__be32 address;
};

struct service {
	__be16 port;
	__u8 protocol, pad;
};

struct flow {
	__be32 source, target;
	__be16 source_port, target_port;
	__u32 protocol;
};

struct seen {
	__u64 packets, bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct network);
	__type(value, __u32);
} blocked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct service);
	__type(value, __u32);
} open_services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct flow);
	__type(value, struct seen);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct seen);
} verdicts SEC(".maps");

static __always_inline int told(__u32 verdict, __u64 bytes)
{
	struct seen *seen = bpf_map_lookup_elem(&verdicts, &verdict);

	if (seen) {
		seen->packets++;
		seen->bytes += bytes;
	}
	return verdict;
}

PROGRAM(firewall)
{
	void *data = DATA, *end = END;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	__u64 size = end - data;
	struct { __be16 source, target; } *ports;
	struct network from = { .bits = 32 };
	struct service service = {};
	struct flow flow = {};
	struct seen *seen, fresh = { .packets = 1, .bytes = size };

	if ((void *)(ip + 1) > end)
		return told(XDP_ABORTED, size);
	if (eth->h_proto != bpf_htons(ETH_P_IP))
		return told(XDP_PASS, size);
	from.address = ip->saddr;
	if (bpf_map_lookup_elem(&blocked, &from))
		return told(XDP_DROP, size);
	if (ip->ihl != 5 || (ip->protocol != IPPROTO_UDP && ip->protocol != IPPROTO_TCP))
		return told(XDP_PASS, size);
	ports = (void *)(ip + 1);
	if ((void *)(ports + 1) > end)
		return told(XDP_ABORTED, size);
	service.port = ports->target;
	service.protocol = ip->protocol;
	if (!bpf_map_lookup_elem(&open_services, &service))
		return told(XDP_DROP, size);
	flow.source = ip->saddr;
	flow.target = ip->daddr;
	flow.source_port = ports->source;
	flow.target_port = ports->target;
	flow.protocol = ip->protocol;
	seen = bpf_map_lookup_elem(&flows, &flow);
	if (seen) {
		seen->packets++;
		seen->bytes += size;
	} else {
		bpf_map_update_elem(&flows, &flow, &fresh, BPF_ANY);
	}
	return told(XDP_PASS, size);
}
