// The result of a helper is used as a size without a check for errors
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
int twice(struct pt_regs *ctx)
{
	__u32 key = 1;
	struct value *v = bpf_map_lookup_elem(&table, &key);
	char path[32];
	long n;

	if (!v)
		return 0;
	n = bpf_probe_read_kernel_str(path, sizeof(path), (void *)ctx->di);
	bpf_probe_read_kernel(v->name, n, (void *)ctx->si);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
