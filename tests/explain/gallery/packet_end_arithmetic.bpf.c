// The last bytes are looked for by subtracting from data_end
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("xdp")
int trailer(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	__u32 *last = data_end - 4;

	if ((void *)last < data)
		return XDP_PASS;
	return *last ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
