// A callback indexes an array with its turn
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct state {
	__u32 seen[8];
};

static int turn(__u32 index, struct state *s)
{
	s->seen[index] = 1;
	return 0;
}

SEC("tc")
int mark(struct __sk_buff *skb)
{
	struct state s = {};

	bpf_loop(8, turn, &s, 0);
	return s.seen[3];
}

char LICENSE[] SEC("license") = "GPL";
