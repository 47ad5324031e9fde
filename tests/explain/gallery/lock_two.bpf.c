// Two locks at a time
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct value {
	struct bpf_spin_lock lock;
	__u64 count;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct value);
} table SEC(".maps");

SEC("tc")
int swap(struct __sk_buff *skb)
{
	__u32 from = 0, to = 1;
	struct value *a = bpf_map_lookup_elem(&table, &from);
	struct value *b = bpf_map_lookup_elem(&table, &to);

	if (!a || !b)
		return 0;
	bpf_spin_lock(&a->lock);
	bpf_spin_lock(&b->lock);
	b->count += a->count;
	bpf_spin_unlock(&b->lock);
	bpf_spin_unlock(&a->lock);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
