// Functions that call each other nine deep
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define LEVEL(n, next) static __noinline int level##n(int x) { barrier_var(x); return next + x; }
static __noinline int level0(int x) { barrier_var(x); return x; }
LEVEL(1, level0(x))
LEVEL(2, level1(x))
LEVEL(3, level2(x))
LEVEL(4, level3(x))
LEVEL(5, level4(x))
LEVEL(6, level5(x))
LEVEL(7, level6(x))
LEVEL(8, level7(x))

SEC("tc")
int deep(struct __sk_buff *skb)
{
	return level8(skb->len);
}

char LICENSE[] SEC("license") = "GPL";
