// A key on the stack is only partly written
// options: caps=bpf
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct flow {
	__u8 proto;
	__u32 addr;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct flow);
	__type(value, __u64);
} flows SEC(".maps");

SEC("socket")
int known(struct __sk_buff *skb)
{
	struct flow key;

	key.proto = 6;
	key.addr = skb->mark;
	return bpf_map_lookup_elem(&flows, &key) ? 1 : 0;
}

char LICENSE[] SEC("license") = "GPL";
