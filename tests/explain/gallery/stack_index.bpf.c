// An array on the stack is indexed by an unchecked number
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("tc")
int pick(struct __sk_buff *skb)
{
	__u32 primes[4] = {2, 3, 5, 7};

	asm volatile("" : : "r"(primes) : "memory");
	return primes[skb->priority];
}

char LICENSE[] SEC("license") = "GPL";
