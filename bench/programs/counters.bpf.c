// SPDX-License-Identifier: Apache-2.0
// Counts a packet in an array (by its protocol) and in a hash (by its source address).
#include "bench.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} by_protocol SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} by_source SEC(".maps");

PROGRAM(counters)
{
	struct ethhdr *eth = DATA;
	struct iphdr *ip = (void *)(eth + 1);
	__u32 protocol, source;
	__u64 *count, one = 1;

	if ((void *)(ip + 1) > END)
		return XDP_ABORTED;
	protocol = ip->protocol;
	source = ip->saddr;
	count = bpf_map_lookup_elem(&by_protocol, &protocol);
	if (count)
		*count += 1;
	count = bpf_map_lookup_elem(&by_source, &source);
	if (count)
		*count += 1;
	else
		bpf_map_update_elem(&by_source, &source, &one, BPF_ANY);
	return XDP_PASS;
}
