// The comparison with data_end is the wrong way round
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("xdp")
int first_byte(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;
	__u8 *data_end = (void *)(long)ctx->data_end;

	if (data + 1 <= data_end)
		return XDP_PASS;
	return *data ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
