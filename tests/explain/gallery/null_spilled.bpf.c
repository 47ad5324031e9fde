// A result that is kept over calls and used without a check
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
int spilled(struct __sk_buff *skb)
{
	__u32 key = 1;
	struct value *v = bpf_map_lookup_elem(&table, &key);
	__u32 a = bpf_get_prandom_u32(), b = bpf_get_prandom_u32(), c = bpf_get_prandom_u32();
	__u32 d = bpf_get_prandom_u32(), e = bpf_get_prandom_u32(), f = bpf_get_prandom_u32();

	v->packets = a * b + c * d + e * f + (a ^ b ^ c ^ d ^ e ^ f ^ skb->mark);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
