// A helper is given a size that is larger than the buffer
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

SEC("kprobe/vfs_open")
int name(struct pt_regs *ctx)
{
	__u32 key = 1;
	struct value *v = bpf_map_lookup_elem(&table, &key);

	if (!v)
		return 0;
	bpf_get_current_comm(v->name, 128);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
