// A task that was acquired is not released
// options: btf
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

extern struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym;

SEC("tp_btf/task_newtask")
int BPF_PROG(started, struct task_struct *task, __u64 flags)
{
	struct task_struct *mine = bpf_task_acquire(task);

	return mine ? 1 : 0;
}

char LICENSE[] SEC("license") = "GPL";
