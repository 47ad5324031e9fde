// An atomic operation on the packet
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("xdp")
int count(struct xdp_md *ctx)
{
	__u32 *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;

	if ((void *)(data + 1) > data_end)
		return XDP_PASS;
	__sync_fetch_and_add(data, 1);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
