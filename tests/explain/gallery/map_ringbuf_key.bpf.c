// A ring buffer with a key
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
	__type(key, __u32);
} events SEC(".maps");

SEC("tc")
int emit(struct __sk_buff *skb)
{
	bpf_ringbuf_output(&events, &(__u32){skb->len}, 4, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
