// A loop that waits for something that does not change
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("xdp")
int wait(struct xdp_md *ctx)
{
	while (ctx->rx_queue_index != 3)
		;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
