/* What only the target knows: configuration and kernel symbols. */
#include "defs.h"

extern int LINUX_KERNEL_VERSION __kconfig;
extern u64 CONFIG_HZ __kconfig;
extern bool CONFIG_BPF_SYSCALL __kconfig;
extern enum libbpf_tristate CONFIG_TEST_BPF __kconfig __weak;
extern char CONFIG_DEFAULT_HOSTNAME[8] __kconfig;
extern char CONFIG_BPF_JIT __kconfig;
extern s32 CONFIG_NO_SUCH_THING __kconfig __weak;
extern u16 CONFIG_NR_CPUS __kconfig;

struct task_struct { int pid; } __core;
extern struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;
extern int bpf_no_such_kfunc(int) __ksym __weak;
extern const int bpf_prog_active __ksym;
extern const int no_such_variable __ksym __weak;
extern const void schedule __ksym;

SEC("kprobe/f") int config(void *ctx)
{
	int x = LINUX_KERNEL_VERSION + CONFIG_HZ + CONFIG_NR_CPUS + CONFIG_NO_SUCH_THING;

	if (CONFIG_BPF_SYSCALL && CONFIG_TEST_BPF == TRI_MODULE && CONFIG_BPF_JIT == 'y')
		x += CONFIG_DEFAULT_HOSTNAME[1];
	return x;
}

SEC("tp_btf/task_newtask") int functions(void *ctx)
{
	struct task_struct *p = bpf_task_from_pid(1);

	if (p)
		bpf_task_release(p);
	if (bpf_no_such_kfunc)
		return bpf_no_such_kfunc(1);
	return 0;
}

SEC("raw_tp/sys_enter") int variables(void *ctx)
{
	if (&no_such_variable)
		return *(int *)&no_such_variable;
	return (int)(s64)&schedule + *(int *)&bpf_prog_active;
}
