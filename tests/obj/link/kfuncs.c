/* Two files of this, with another NAME, want the same kfunc, kernel variable and configuration value. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct task_struct { int pid; };
extern struct task_struct *bpf_task_from_pid(int pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *p) __ksym __weak;
extern const void bpf_prog_active __ksym __weak;
extern int LINUX_KERNEL_VERSION __kconfig;

SEC("tc") int NAME(struct __sk_buff *ctx)
{
	struct task_struct *task;

	if (!bpf_task_from_pid)
		return 0;
	task = bpf_task_from_pid(ctx->len);
	if (task)
		bpf_task_release(task);
	return LINUX_KERNEL_VERSION + (&bpf_prog_active ? 1 : 0);
}
char LICENSE[] SEC("license") = "GPL";
