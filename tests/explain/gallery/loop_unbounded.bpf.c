// A loop up to a number that the program was given
// options: slow
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("tc")
int sum(struct __sk_buff *skb)
{
	__u32 total = 0;

	for (__u32 i = 0; i < skb->len; i++)
		total += bpf_get_prandom_u32() & i;
	return total;
}

char LICENSE[] SEC("license") = "GPL";
