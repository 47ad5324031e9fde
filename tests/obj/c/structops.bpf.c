/* A congestion control: programs that fill a kernel's struct. */
#include "defs.h"

struct sock;
struct tcp_congestion_ops {
	void (*init)(struct sock *sk);
	u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, u32 ack, u32 acked);
	u32 (*undo_cwnd)(struct sock *sk);
	u32 flags;
	char name[16];
};

SEC("struct_ops/init") void init(u64 *ctx) {}
SEC("struct_ops/ssthresh") u32 ssthresh(u64 *ctx) { return 2; }
SEC("struct_ops/cong_avoid") void cong_avoid(u64 *ctx) {}
SEC("struct_ops/undo_cwnd") u32 undo_cwnd(u64 *ctx) { return 10; }

SEC(".struct_ops") struct tcp_congestion_ops calm = {
	.init = (void *)init, .ssthresh = (void *)ssthresh, .cong_avoid = (void *)cong_avoid,
	.undo_cwnd = (void *)undo_cwnd, .flags = 2, .name = "calm",
};
