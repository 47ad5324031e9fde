// A congestion control writes to a member of the socket that it may not
// options: btf
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

SEC("struct_ops/ssthresh")
__u32 BPF_PROG(ssthresh, struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;

	tp->rcv_nxt = 0;
	return 2;
}

SEC(".struct_ops")
struct tcp_congestion_ops mine = {
	.ssthresh = (void *)ssthresh,
	.name = "mine",
};

char LICENSE[] SEC("license") = "GPL";
