// Half of a context field is read where only all of it can be
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("xdp")
int half(struct xdp_md *ctx)
{
	return *(volatile __u16 *)&ctx->data;
}

char LICENSE[] SEC("license") = "GPL";
