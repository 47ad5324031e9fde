// Two functions that fit by themselves are too large together
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

static __noinline int inner(struct __sk_buff *skb, __u32 offset)
{
	char text[300];

	bpf_skb_load_bytes(skb, offset, text, sizeof(text));
	return text[0] + text[5];
}

SEC("socket")
int outer(struct __sk_buff *skb)
{
	char text[300];

	bpf_skb_load_bytes(skb, 14, text, sizeof(text));
	return inner(skb, text[2]) + text[7];
}

char LICENSE[] SEC("license") = "GPL";
