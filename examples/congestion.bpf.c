// A congestion control in the manner of CUBIC (RFC 9438): the window grows along a cubic curve around the size at which
// the last loss came.  Times are in milliseconds, windows in segments; the curve is kept in 1/1024 of a segment.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define SCALE 10
#define BETA 717		/* of 1024: what is left of the window after a loss, 0.7 */
#define CURVE 410		/* of 1024: how steep the curve is, 0.4 */
#define MAX_TIME (1 << 14)	/* the curve is not followed further than 16 seconds */

struct ack_sample {
	__u32 pkts_acked;
	__s32 rtt_us;
} __attribute__((preserve_access_index));

extern __u32 tcp_slow_start(struct tcp_sock *tp, __u32 acked) __ksym;
extern void tcp_cong_avoid_ai(struct tcp_sock *tp, __u32 w, __u32 acked) __ksym;
extern __u32 tcp_reno_undo_cwnd(struct sock *sk) __ksym;

/* What is remembered of a connection; it lies in the room that every socket has for its congestion control. */
struct curve {
	__u32 peak;		/* the window when the last loss came */
	__u32 start;		/* of the curve, 0: none yet */
	__u32 reach;		/* milliseconds from start to the peak */
	__u32 shortest;		/* round trip, in microseconds */
	__u32 each;		/* segments to be acknowledged for one more in the window */
};

static struct curve *curve_of(struct sock *sk)
{
	return (struct curve *)((struct inet_connection_sock *)sk)->icsk_ca_priv;
}

static struct tcp_sock *tcp(struct sock *sk)
{
	return (struct tcp_sock *)sk;
}

static __u32 now(void)
{
	return bpf_ktime_get_ns() / 1000000;
}

/* The cube root, one bit after the other from the highest on. */
static __u32 cube_root(__u64 number)
{
	__u64 root = 0;

	for (int bit = 15; bit >= 0; bit--) {
		__u64 next = root | 1u << bit;

		if (next * next * next <= number)
			root = next;
	}
	return root;
}

SEC("struct_ops/start")
void BPF_PROG(start, struct sock *sk)
{
	struct curve *curve = curve_of(sk);

	curve->peak = 0;
	curve->start = 0;
	curve->reach = 0;
	curve->shortest = 0;
	curve->each = 0;
	tcp(sk)->snd_ssthresh = 0x7fffffff;
}

/* Where the curve is some time from now, and how many acknowledgements take the window there. */
static void aim(struct curve *curve, __u32 window)
{
	__u32 passed, away;
	__u64 rise, target;

	if (!curve->start) {
		curve->start = now();
		if (curve->peak <= window) {
			curve->peak = window;
			curve->reach = 0;
		} else {
			curve->reach = cube_root(((__u64)(curve->peak - window) << SCALE) / CURVE * 1000000000ull);
		}
	}
	passed = now() - curve->start + curve->shortest / 1000;
	if (passed > MAX_TIME)
		passed = MAX_TIME;
	away = passed > curve->reach ? passed - curve->reach : curve->reach - passed;
	if (away > MAX_TIME)
		away = MAX_TIME;
	rise = (__u64)away * away * away / 1000000 * CURVE >> SCALE;
	rise /= 1000;
	target = passed > curve->reach ? curve->peak + rise : curve->peak - rise;
	curve->each = target > window ? window / (__u32)(target - window) : 100 * window;
	if (curve->each < 2)
		curve->each = 2;
}

SEC("struct_ops/grow")
void BPF_PROG(grow, struct sock *sk, __u32 ack, __u32 acked)
{
	struct curve *curve = curve_of(sk);
	struct tcp_sock *tp = tcp(sk);

	if (!tp->is_cwnd_limited)
		return;
	if (tp->snd_cwnd < tp->snd_ssthresh) {
		acked = tcp_slow_start(tp, acked);
		if (!acked)
			return;
	}
	aim(curve, tp->snd_cwnd);
	tcp_cong_avoid_ai(tp, curve->each, acked);
}

SEC("struct_ops/shrink")
__u32 BPF_PROG(shrink, struct sock *sk)
{
	struct curve *curve = curve_of(sk);
	__u32 window = tcp(sk)->snd_cwnd;
	__u32 left = (__u64)window * BETA >> SCALE;

	/* A connection that loses before it is back at its peak makes room for others. */
	curve->peak = window < curve->peak ? (__u64)window * (1024 + BETA) >> (SCALE + 1) : window;
	curve->start = 0;
	return left > 2 ? left : 2;
}

SEC("struct_ops/state")
void BPF_PROG(state, struct sock *sk, __u8 new_state)
{
	if (new_state == 4)	/* TCP_CA_Loss */
		curve_of(sk)->start = 0;
}

SEC("struct_ops/event")
void BPF_PROG(event, struct sock *sk, enum tcp_ca_event ev)
{
	struct curve *curve = curve_of(sk);

	if (ev == CA_EVENT_CWND_RESTART && curve->start)
		curve->start = now();
}

SEC("struct_ops/acknowledged")
void BPF_PROG(acknowledged, struct sock *sk, const struct ack_sample *sample)
{
	struct curve *curve = curve_of(sk);
	__s32 rtt = sample->rtt_us;

	if (rtt > 0 && (!curve->shortest || curve->shortest > rtt))
		curve->shortest = rtt;
}

SEC("struct_ops/undo")
__u32 BPF_PROG(undo, struct sock *sk)
{
	return tcp_reno_undo_cwnd(sk);
}

SEC(".struct_ops")
struct tcp_congestion_ops bee = {
	.ssthresh = (void *)shrink,
	.cong_avoid = (void *)grow,
	.set_state = (void *)state,
	.cwnd_event = (void *)event,
	.pkts_acked = (void *)acknowledged,
	.undo_cwnd = (void *)undo,
	.init = (void *)start,
	.name = "osmia_bee",
};

char _license[] SEC("license") = "GPL";
