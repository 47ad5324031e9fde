// A pointer is kept in a map and followed later
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} saved SEC(".maps");

SEC("kprobe/do_unlinkat")
int later(struct pt_regs *ctx)
{
	__u32 key = 0;
	__u64 *address = bpf_map_lookup_elem(&saved, &key);
	struct task_struct *task;

	if (!address)
		return 0;
	task = (void *)*address;
	return task->pid;
}

char LICENSE[] SEC("license") = "GPL";
