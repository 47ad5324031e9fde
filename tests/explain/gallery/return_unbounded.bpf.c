// A program returns a number of which nothing is known
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("cgroup/dev")
int allow(struct bpf_cgroup_dev_ctx *ctx)
{
	return ctx->minor;
}

char LICENSE[] SEC("license") = "GPL";
