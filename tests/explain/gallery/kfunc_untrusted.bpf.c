// A kernel function is given a pointer that was read from a struct
// options: btf
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

extern struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;

SEC("tp_btf/task_newtask")
int BPF_PROG(started, struct task_struct *task, __u64 flags)
{
	struct task_struct *leader = bpf_task_acquire(task->parent);

	if (leader)
		bpf_task_release(leader);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
