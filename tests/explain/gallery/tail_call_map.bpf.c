// A tail call through a hash map
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
int next(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &table, 0);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
