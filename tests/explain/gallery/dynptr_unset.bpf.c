// A dynptr is used that was never made
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("tc")
int read(struct __sk_buff *skb)
{
	struct bpf_dynptr data;
	__u32 word = 0;

	asm volatile("" : "=m"(data));
	bpf_dynptr_read(&word, sizeof(word), &data, 0, 0);
	return word;
}

char LICENSE[] SEC("license") = "GPL";
