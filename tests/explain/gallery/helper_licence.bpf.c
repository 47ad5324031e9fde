// A helper for GPL programs in a program under another licence
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("kprobe/do_unlinkat")
int trace(void *ctx)
{
	char buffer[16];

	bpf_probe_read_kernel(buffer, sizeof(buffer), (void *)8);
	return 0;
}

char LICENSE[] SEC("license") = "Proprietary";
