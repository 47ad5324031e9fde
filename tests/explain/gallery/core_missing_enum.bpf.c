// An enumerator that the target kernel does not have
// options: btf
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

enum bpf_func_id___mine {
	BPF_FUNC_make_coffee___mine = 99999,
};

SEC("xdp")
int brew(struct xdp_md *ctx)
{
	return bpf_core_enum_value(enum bpf_func_id___mine, BPF_FUNC_make_coffee___mine);
}

char LICENSE[] SEC("license") = "GPL";
