// An LSM program returns a positive number
// options: btf live=no
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

SEC("lsm/file_open")
int BPF_PROG(deny, struct file *file)
{
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
