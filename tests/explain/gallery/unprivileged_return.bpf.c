// An unprivileged program returns a pointer
// options: caps=bpf
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("socket")
int leak(struct __sk_buff *skb)
{
	return (long)skb;
}

char LICENSE[] SEC("license") = "GPL";
