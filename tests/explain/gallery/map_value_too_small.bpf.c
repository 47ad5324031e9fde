// The code reads a larger struct than the map holds
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct stats {
	__u64 packets, bytes, errors;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

SEC("xdp")
int count(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct stats *s = bpf_map_lookup_elem(&counters, &key);

	if (!s)
		return XDP_PASS;
	s->errors += 1;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
