// A NULL check the wrong way round
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
	__u32 key = 1;
	struct value *v = bpf_map_lookup_elem(&table, &key);

	if (v)
		return XDP_PASS;
	barrier_var(v);
	v->packets += 1;
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
