// A loop with bpf_for, which Linux 6.1 does not have
// options: kernel=6.1 live=no btf
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("tc")
int sum(struct __sk_buff *skb)
{
	__u32 total = 0;
	int i;

	bpf_for(i, 0, 100)
		total += i ^ skb->mark;
	return total;
}

char LICENSE[] SEC("license") = "GPL";
