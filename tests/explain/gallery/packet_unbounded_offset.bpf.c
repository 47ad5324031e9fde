// A 32-bit number from the packet is added to a packet pointer
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("xdp")
int jump(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	__u8 *data_end = (void *)(long)ctx->data_end;
	__u32 skip;

	if (data + 4 > data_end)
		return XDP_PASS;
	skip = *(__u32 *)data;
	data += skip;
	if (data + 1 > data_end)
		return XDP_PASS;
	return *data ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
