// A global function uses its pointer without a NULL check
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct pair {
	__u32 a, b;
};

__noinline int product(struct pair *p)
{
	return p->a * p->b;
}

SEC("tc")
int multiply(struct __sk_buff *skb)
{
	struct pair p = {skb->len, skb->mark};

	return product(&p);
}

char LICENSE[] SEC("license") = "GPL";
