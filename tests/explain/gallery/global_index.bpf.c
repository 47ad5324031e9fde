// A global array is indexed without a check
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

__u64 counts[32];

SEC("xdp")
int by_queue(struct xdp_md *ctx)
{
	counts[ctx->rx_queue_index] += 1;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
