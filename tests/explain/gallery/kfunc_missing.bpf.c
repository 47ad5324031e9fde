// A kernel function that the target kernel does not have
// options: btf
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

extern int bpf_make_coffee(int sugar) __ksym __weak;

SEC("xdp")
int brew(struct xdp_md *ctx)
{
	return bpf_make_coffee(1);
}

char LICENSE[] SEC("license") = "GPL";
