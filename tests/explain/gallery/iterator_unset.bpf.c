// An iterator is advanced that was never made
// options: btf
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;

SEC("tc")
int search(struct __sk_buff *skb)
{
	struct bpf_iter_num it = {};

	return bpf_iter_num_next(&it) ? 1 : 0;
}

char LICENSE[] SEC("license") = "GPL";
