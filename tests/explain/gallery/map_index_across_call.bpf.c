// An index passes through a function and is used without a check
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

static __noinline __u32 slot_of(__u32 hash)
{
	return hash >> 24;
}

SEC("tc")
int letter(struct __sk_buff *skb)
{
	__u32 key = 1;
	struct value *v = bpf_map_lookup_elem(&table, &key);
	__u32 slot = slot_of(skb->hash);

	if (!v)
		return 0;
	return v->name[slot];
}

char LICENSE[] SEC("license") = "GPL";
