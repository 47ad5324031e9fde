// An array with a key of eight bytes
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u64);
	__type(value, __u64);
} counts SEC(".maps");

SEC("tc")
int count(struct __sk_buff *skb)
{
	__u64 key = 0;

	return bpf_map_lookup_elem(&counts, &key) ? 1 : 0;
}

char LICENSE[] SEC("license") = "GPL";
