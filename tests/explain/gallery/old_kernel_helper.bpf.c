// A helper that Linux 5.10 does not have
// options: kernel=5.10 live=no
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

static int turn(__u32 index, void *unused)
{
	return 0;
}

SEC("xdp")
int spin(struct xdp_md *ctx)
{
	bpf_loop(10, turn, 0, 0);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
