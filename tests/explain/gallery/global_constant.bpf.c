// The program writes to a constant
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

const volatile __u32 limit = 10;

SEC("xdp")
int change(struct xdp_md *ctx)
{
	*(volatile __u32 *)&limit = 11;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
