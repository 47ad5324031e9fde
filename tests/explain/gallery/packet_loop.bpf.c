// A loop over the packet goes one byte further than the check
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("xdp")
int sum(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	__u8 *data_end = (void *)(long)ctx->data_end;
	__u32 total = 0;

	if (data + 16 > data_end)
		return XDP_PASS;
	for (int i = 0; i <= 16; i++)
		total += data[i];
	return total & 1 ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
