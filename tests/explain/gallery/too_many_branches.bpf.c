// Ten thousand branches in a row
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define ONE total += bpf_get_prandom_u32() > 7 ? 3 : 1; barrier_var(total);
#define TEN ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define THOUSAND HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED

SEC("xdp")
int dice(struct xdp_md *ctx)
{
	__u64 total = 0;

	THOUSAND THOUSAND THOUSAND THOUSAND THOUSAND THOUSAND THOUSAND THOUSAND THOUSAND
	return total & 1;
}

char LICENSE[] SEC("license") = "GPL";
