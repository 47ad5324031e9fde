// A tracing program uses a map with a lock
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

SEC("kprobe/do_unlinkat")
int count(void *ctx)
{
	__u32 key = 0;
	struct value *v = bpf_map_lookup_elem(&table, &key);

	if (v)
		v->count++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
