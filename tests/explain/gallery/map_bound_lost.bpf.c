// The bound is checked on a number that is changed afterwards
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
int letter(struct __sk_buff *skb)
{
	__u32 key = 1, i = skb->mark;
	struct value *v = bpf_map_lookup_elem(&table, &key);

	if (!v || i >= sizeof(v->name))
		return 0;
	i = i * 2 + 1;
	return v->name[i];
}

char LICENSE[] SEC("license") = "GPL";
