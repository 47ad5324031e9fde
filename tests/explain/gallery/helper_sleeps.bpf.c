// A helper that may sleep in a program that may not
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("kprobe/do_unlinkat")
int path(struct pt_regs *ctx)
{
	char buffer[16];

	bpf_copy_from_user(buffer, sizeof(buffer), (void *)ctx->si);
	return buffer[0];
}

char LICENSE[] SEC("license") = "GPL";
