// A function to attach to that does not exist
// options: btf live=no
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

SEC("fentry/do_unlinkatt")
int BPF_PROG(unlinked)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
