// A socket filter reads a field that only tc programs have
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("socket")
int class_of(struct __sk_buff *skb)
{
	return skb->tc_classid;
}

char LICENSE[] SEC("license") = "GPL";
