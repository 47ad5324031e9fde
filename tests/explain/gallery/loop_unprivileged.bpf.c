// A loop in a program that is loaded without capabilities
// options: unprivileged nobtf live=no
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("socket")
int ones(struct __sk_buff *skb)
{
	__u32 count = 0;

	for (int i = 0; i < 32; i++) {
		barrier_var(i);
		count += skb->mark >> i & 1;
	}
	return count;
}

char LICENSE[] SEC("license") = "GPL";
