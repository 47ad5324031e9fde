// SPDX-License-Identifier: Apache-2.0
// Who removes files?  One line for each unlink: the command's name, its pid, and the file.
//
//     osmia run examples/unlink.bpf.c --do 'touch a; unlink a; touch b; rm b'
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "GPL";

SEC("kprobe/do_unlinkat")
int BPF_KPROBE(report_unlink, int dfd, struct filename *name)
{
	char comm[16], path[64];
	const char *text = BPF_CORE_READ(name, name);

	bpf_get_current_comm(comm, sizeof(comm));
	bpf_probe_read_kernel_str(path, sizeof(path), text);
	bpf_printk("%s (pid %d) removes %s", comm, (int)(bpf_get_current_pid_tgid() >> 32), path);
	return 0;
}

SEC("kretprobe/do_unlinkat")
int BPF_KRETPROBE(report_result, int result)
{
	if (result)
		bpf_printk("  it failed: %d", result);
	return 0;
}
