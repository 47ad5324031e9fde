// An XDP program calls a kernel function for tracing programs
// options: btf
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;

SEC("socket")
int init_there(struct __sk_buff *skb)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (!task)
		return 0;
	bpf_task_release(task);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
