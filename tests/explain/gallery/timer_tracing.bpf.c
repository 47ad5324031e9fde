// A tracing program uses a map with a timer
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct value {
	struct bpf_timer timer;
	__u64 count;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} table SEC(".maps"), other SEC(".maps");

SEC("kprobe/do_unlinkat")
int arm(void *ctx)
{
	__u32 key = 0;
	struct value *v = bpf_map_lookup_elem(&table, &key);

	if (v)
		bpf_timer_start(&v->timer, 1000, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
