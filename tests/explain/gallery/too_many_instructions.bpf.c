// More instructions than an unprivileged program may have
// options: unprivileged nobtf live=no
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define ONE total += skb->mark ^ (total << 3); barrier_var(total);
#define TEN ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

SEC("socket")
int long_one(struct __sk_buff *skb)
{
	__u32 total = 0;

	HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
	HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
	return total;
}

char LICENSE[] SEC("license") = "GPL";
