// A helper whose number does not exist yet
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

static long (*bpf_from_the_future)(void *ctx) = (void *)9999;

SEC("xdp")
int soon(struct xdp_md *ctx)
{
	return bpf_from_the_future(ctx);
}

char LICENSE[] SEC("license") = "GPL";
