// A global function does not know what its callers checked
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

__u32 counts[16];

__noinline int bump(__u32 index)
{
	return ++counts[index];
}

SEC("tc")
int by_queue(struct __sk_buff *skb)
{
	if (skb->queue_mapping > 15)
		return 0;
	return bump(skb->queue_mapping);
}

char LICENSE[] SEC("license") = "GPL";
