// A member that the target kernel does not have
// options: btf
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct task_struct___mine {
	int shoe_size;
} __attribute__((preserve_access_index));

SEC("kprobe/do_unlinkat")
int size(struct pt_regs *ctx)
{
	struct task_struct___mine *task = (void *)bpf_get_current_task();
	int size = 0;

	bpf_probe_read_kernel(&size, sizeof(size), &task->shoe_size);
	return size;
}

char LICENSE[] SEC("license") = "GPL";
