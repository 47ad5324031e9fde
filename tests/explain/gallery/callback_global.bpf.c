// A callback that is not static
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

int turn(__u32 index, void *unused)
{
	return 0;
}

SEC("tc")
int sum(struct __sk_buff *skb)
{
	bpf_loop(10, turn, 0, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
