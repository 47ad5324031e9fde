// A loop of a million turns
// options: slow
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("xdp")
int spin(struct xdp_md *ctx)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < 1000000; i++)
		sum += i ^ bpf_get_prandom_u32();
	return sum & 1 ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
