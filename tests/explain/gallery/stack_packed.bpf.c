// A member of a packed struct on the stack is misaligned
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct __attribute__((packed)) record {
	__u8 kind;
	__u64 stamp;
};

SEC("tc")
int stamp(struct __sk_buff *skb)
{
	struct record r = {};

	asm volatile("*(u64 *)(%[r] + 1) = %[t]" : : [r] "r"(&r), [t] "r"(bpf_ktime_get_ns()) : "memory");
	return r.kind;
}

char LICENSE[] SEC("license") = "GPL";
