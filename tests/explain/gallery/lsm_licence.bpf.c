// An LSM program under a licence that is not the GPL
// options: btf live=no
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

SEC("lsm/file_open")
int BPF_PROG(allow, struct file *file)
{
	return 0;
}

char LICENSE[] SEC("license") = "Proprietary";
