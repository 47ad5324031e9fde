// A field of the context is written that can only be read
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("xdp")
int move(struct xdp_md *ctx)
{
	ctx->rx_queue_index = 0;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
