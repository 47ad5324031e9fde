// The argument of a system call is followed like an ordinary pointer
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("tracepoint/syscalls/sys_enter_openat")
int opened(struct trace_event_raw_sys_enter *ctx)
{
	const char *path = (const char *)ctx->args[1];

	return path[0] == '/';
}

char LICENSE[] SEC("license") = "GPL";
