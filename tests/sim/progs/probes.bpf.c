// SPDX-License-Identifier: Apache-2.0
// One small program for each hook whose trace is compared with a real kernel's (golden/probes-6.1.jsonl).
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#ifdef __TARGET_ARCH_arm64
#define SYSCALL_NUMBER(regs) BPF_CORE_READ(regs, syscallno)
#else
#define SYSCALL_NUMBER(regs) BPF_CORE_READ(regs, orig_ax)
#endif

char LICENSE[] SEC("license") = "GPL";

SEC("tracepoint/syscalls/sys_enter_openat")
int tp_openat(struct trace_event_raw_sys_enter *ctx)
{
	char path[40];

	bpf_probe_read_user_str(path, sizeof(path), (void *)ctx->args[1]);
	bpf_printk("openat nr %d dfd %d %s", (int)ctx->id, (int)ctx->args[0], path);
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_unlinkat")
int tp_unlinkat_exit(struct trace_event_raw_sys_exit *ctx)
{
	bpf_printk("unlinkat gave %ld", ctx->ret);
	return 0;
}

SEC("tracepoint/raw_syscalls/sys_enter")
int tp_getpgid(struct trace_event_raw_sys_enter *ctx)
{
	if (ctx->id == 121)
		bpf_printk("getpgid(%ld)", ctx->args[0]);
	return 0;
}

SEC("raw_tp/sys_exit")
int rtp_getpgid(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (void *)ctx->args[0];

	if (SYSCALL_NUMBER(regs) == 121)
		bpf_printk("getpgid gave %ld", ctx->args[1]);
	return 0;
}

SEC("kprobe/__x64_sys_unlinkat")
int kp_sys_unlinkat(struct pt_regs *ctx)
{
	struct pt_regs *user = (void *)PT_REGS_PARM1(ctx);
	char path[16];

	bpf_probe_read_user_str(path, sizeof(path), (void *)PT_REGS_PARM2_CORE_SYSCALL(user));
	bpf_printk("dfd %d flag %d %s", (int)PT_REGS_PARM1_CORE_SYSCALL(user), (int)PT_REGS_PARM3_CORE_SYSCALL(user), path);
	return 0;
}

SEC("kretprobe/do_rmdir")
int krp_rmdir(struct pt_regs *ctx)
{
	bpf_printk("rmdir gave %d", (int)PT_REGS_RC(ctx));
	return 0;
}

SEC("kprobe/do_mkdirat")
int kp_mkdirat(struct pt_regs *ctx)
{
	struct filename *name = (void *)PT_REGS_PARM2(ctx);
	char path[16];

	bpf_probe_read_kernel_str(path, sizeof(path), BPF_CORE_READ(name, name));
	bpf_printk("mkdir %s mode %x", path, (unsigned)PT_REGS_PARM3(ctx));
	return 0;
}

SEC("kprobe/vfs_unlink")
int kp_vfs_unlink(struct pt_regs *ctx)
{
	struct dentry *dentry = (void *)PT_REGS_PARM3(ctx);
	struct task_struct *task = (void *)bpf_get_current_task();
	char name[16], comm[16];

	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name));
	BPF_CORE_READ_STR_INTO(&comm, task, comm);
	bpf_printk("dentry %s of %d bytes, task %s", name, BPF_CORE_READ(dentry, d_name.len), comm);
	return 0;
}

SEC("kprobe/udp_sendmsg")
int kp_udp_sendmsg(struct pt_regs *ctx)
{
	bpf_printk("udp_sendmsg of %d bytes", (int)PT_REGS_PARM3(ctx));
	return 0;
}

SEC("kprobe/ip_rcv")
int kp_ip_rcv(struct pt_regs *ctx)
{
	struct sk_buff *skb = (void *)PT_REGS_PARM1(ctx);
	unsigned char *head = BPF_CORE_READ(skb, head);
	struct iphdr ip;
	struct udphdr udp;

	bpf_probe_read_kernel(&ip, sizeof(ip), head + BPF_CORE_READ(skb, network_header));
	if (ip.protocol != IPPROTO_UDP)
		return 0;
	bpf_probe_read_kernel(&udp, sizeof(udp), head + BPF_CORE_READ(skb, network_header) + sizeof(ip));
	bpf_printk("ip to %pI4 port %d len %d", &ip.daddr, __builtin_bswap16(udp.dest), __builtin_bswap16(udp.len));
	return 0;
}

SEC("tracepoint/net/netif_receive_skb")
int tp_receive(struct trace_event_raw_net_dev_template *ctx)
{
	char name[16];

	bpf_probe_read_kernel_str(name, sizeof(name), (char *)ctx + (ctx->__data_loc_name & 0xffff));
	bpf_printk("%s: %u bytes", name, ctx->len);
	return 0;
}

SEC("tracepoint/sched/sched_process_exit")
int tp_exit(void *ctx)
{
	char comm[16];

	bpf_get_current_comm(comm, sizeof(comm));
	bpf_printk("%s exits", comm);
	return 0;
}

SEC("xdp")
int xdp_length(struct xdp_md *ctx)
{
	bpf_printk("packet of %u bytes", ctx->data_end - ctx->data);
	return XDP_PASS;
}

SEC("fentry/do_unlinkat")
int BPF_PROG(fe_unlinkat, int dfd, struct filename *name)
{
	char path[16];

	bpf_probe_read_kernel_str(path, sizeof(path), name->name);
	bpf_printk("unlinkat %d %s", dfd, path);
	return 0;
}

SEC("fexit/do_unlinkat")
int BPF_PROG(fx_unlinkat, int dfd, struct filename *name, int ret)
{
	bpf_printk("unlinkat %d gave %d", dfd, ret);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(btf_exit, struct task_struct *task)
{
	bpf_printk("%s exits, parent of pid %d", task->comm, task->real_parent->pid);
	return 0;
}
