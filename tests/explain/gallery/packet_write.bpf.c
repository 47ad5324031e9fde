// A cgroup program writes to the packet
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("cgroup_skb/egress")
int mark(struct __sk_buff *skb)
{
	__u8 *data = (void *)(long)skb->data;
	__u8 *data_end = (void *)(long)skb->data_end;

	if (data + 2 > data_end)
		return 1;
	data[1] = 0;
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
