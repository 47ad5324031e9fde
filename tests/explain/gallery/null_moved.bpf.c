// A pointer that may be NULL is moved before the check
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct value {
	__u64 packets;
	char name[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct value);
} table SEC(".maps");

SEC("tc")
int pick(struct __sk_buff *skb)
{
	__u32 key = 1;
	char *v = bpf_map_lookup_elem(&table, &key);

	v += skb->mark & 7;
	barrier_var(v);
	if (!v)
		return 0;
	return *v;
}

char LICENSE[] SEC("license") = "GPL";
