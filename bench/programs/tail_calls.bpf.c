// SPDX-License-Identifier: Apache-2.0
// Eight programs, each of which goes on to the next through a program array.
#include "bench.h"

#define LENGTH 8

int tail_calls(struct xdp_md *ctx);
int link_1(struct xdp_md *ctx);
int link_2(struct xdp_md *ctx);
int link_3(struct xdp_md *ctx);
int link_4(struct xdp_md *ctx);
int link_5(struct xdp_md *ctx);
int link_6(struct xdp_md *ctx);
int link_7(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, LENGTH);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *));
} chain SEC(".maps") = {
	.values = {
		[1] = &link_1, [2] = &link_2, [3] = &link_3, [4] = &link_4,
		[5] = &link_5, [6] = &link_6, [7] = &link_7,
	},
};

#define LINK(name, next)                                \
	SEC("xdp") int name(struct xdp_md *ctx)         \
	{                                               \
		bpf_tail_call(ctx, &chain, next);       \
		return 100 + next;                      \
	}

LINK(tail_calls, 1)
LINK(link_1, 2)
LINK(link_2, 3)
LINK(link_3, 4)
LINK(link_4, 5)
LINK(link_5, 6)
LINK(link_6, 7)
LINK(link_7, LENGTH)
