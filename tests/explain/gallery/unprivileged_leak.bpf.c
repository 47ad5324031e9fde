// An unprivileged program stores a pointer in a map
// options: caps=bpf
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} saved SEC(".maps");

SEC("socket")
int keep(struct __sk_buff *skb)
{
	__u32 key = 0;
	__u64 *v = bpf_map_lookup_elem(&saved, &key);

	if (v)
		*v = (unsigned long)skb;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
