// The context is read at an offset that is not constant
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("tc")
int scan(struct __sk_buff *skb)
{
	__u32 i = bpf_get_prandom_u32() & 3;

	return *(volatile __u32 *)((void *)skb->cb + i * 4);
}

char LICENSE[] SEC("license") = "GPL";
