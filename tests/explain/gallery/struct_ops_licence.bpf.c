// A congestion control under a licence that is not the GPL
// options: btf
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

SEC("struct_ops/ssthresh")
__u32 BPF_PROG(ssthresh, struct sock *sk)
{
	return 2;
}

SEC(".struct_ops")
struct tcp_congestion_ops mine = {
	.ssthresh = (void *)ssthresh,
	.name = "mine",
};

char LICENSE[] SEC("license") = "Proprietary";
