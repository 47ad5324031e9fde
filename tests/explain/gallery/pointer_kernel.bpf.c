// A kernel pointer is followed like an ordinary one
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("kprobe/do_unlinkat")
int name(struct pt_regs *ctx)
{
	struct filename *file = (void *)ctx->si;
	const char *text = file->name;

	return text ? 1 : 0;
}

char LICENSE[] SEC("license") = "GPL";
