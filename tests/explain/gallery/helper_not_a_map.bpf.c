// The address of a variable is passed instead of a map
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

int table_of_mine[4];

SEC("xdp")
int count(struct xdp_md *ctx)
{
	__u32 key = 1;

	return bpf_map_lookup_elem(&table_of_mine, &key) ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
