// A helper is told that a small variable is large
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("kprobe/vfs_open")
int comm(struct pt_regs *ctx)
{
	char name[8];

	bpf_get_current_comm(name, 16);
	return name[0];
}

char LICENSE[] SEC("license") = "GPL";
