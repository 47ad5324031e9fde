// A pointer that may be NULL is passed to a helper
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

SEC("kprobe/do_unlinkat")
int copy(void *ctx)
{
	__u32 from = 1, to = 2;
	struct value *v = bpf_map_lookup_elem(&table, &from);

	bpf_map_update_elem(&table, &to, v, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
