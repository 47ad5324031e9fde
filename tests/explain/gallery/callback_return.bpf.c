// A callback returns something else than 0 and 1
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

static int turn(__u32 index, __u32 *total)
{
	*total += index;
	return 2;
}

SEC("tc")
int sum(struct __sk_buff *skb)
{
	__u32 total = 0;

	bpf_loop(10, turn, &total, 0);
	return total;
}

char LICENSE[] SEC("license") = "GPL";
