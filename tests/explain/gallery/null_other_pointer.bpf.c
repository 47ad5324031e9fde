// Two look-ups, and only the first one is checked
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct value {
	__u64 packets;
	char name[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct value);
} table SEC(".maps");

SEC("xdp")
int count(struct xdp_md *ctx)
{
	__u32 from = 1, to = 2;
	struct value *a = bpf_map_lookup_elem(&table, &from);
	struct value *b = bpf_map_lookup_elem(&table, &to);

	if (!a)
		return XDP_PASS;
	a->packets -= 1;
	b->packets += 1;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
