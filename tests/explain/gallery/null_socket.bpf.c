// The socket of a packet is read without a check
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("tc")
int family(struct __sk_buff *skb)
{
	return skb->sk->family == 2;
}

char LICENSE[] SEC("license") = "GPL";
