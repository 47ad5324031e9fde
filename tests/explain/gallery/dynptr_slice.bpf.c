// The result of bpf_dynptr_slice is used without a check
// options: btf
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 offset, void *buffer, __u32 size) __ksym;

SEC("tc")
int first(struct __sk_buff *skb)
{
	struct bpf_dynptr packet;
	__u8 buffer[8], *bytes;

	if (bpf_dynptr_from_skb(skb, 0, &packet))
		return 0;
	bytes = bpf_dynptr_slice(&packet, 0, buffer, sizeof(buffer));
	return bytes[0];
}

char LICENSE[] SEC("license") = "GPL";
