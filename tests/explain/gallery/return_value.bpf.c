// A cgroup program returns a number that means nothing
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("cgroup/connect4")
int connect(struct bpf_sock_addr *ctx)
{
	return ctx->user_port == 22 ? 2 : 1;
}

char LICENSE[] SEC("license") = "GPL";
