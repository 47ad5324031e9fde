// An XDP program calls a helper for socket buffers
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("xdp")
int load(struct xdp_md *ctx)
{
	char header[14] = {};

	bpf_skb_load_bytes(ctx, 0, header, sizeof(header));
	return header[0] ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
