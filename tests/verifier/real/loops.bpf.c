// Callbacks, iteration, timers, global functions, tail calls.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
struct plain { __u64 n; };
struct elem { __u64 n; struct bpf_timer t; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u32); __type(value, __u64); __uint(max_entries, 64); } h SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, __u32); __type(value, struct elem); __uint(max_entries, 4); } timers SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(key_size, 4); __uint(value_size, 4); __uint(max_entries, 4); } jumps SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_SK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int); __type(value, struct plain); } sks SEC(".maps");
struct acc { __u64 sum; __u32 n; char text[20]; };
int limit = 10;
static long each(void *map, __u32 *key, __u64 *val, struct acc *a) { a->sum += *val; if (a->sum > 5) *val = 0; return a->sum > 20; }
static long step(__u32 i, struct acc *a) { if (i < sizeof(a->text)) a->text[i] = i; a->sum += i; return i == 100; }
static long nested(__u32 i, void *p) { struct acc b = {}; bpf_loop(i & 7, step, &b, 0); ((struct acc *)p)->sum += b.sum; return 0; }
static int fire(void *map, int *key, struct elem *v) { v->n++; bpf_timer_start(&v->t, 1000, 0); return 0; }
__noinline int global_sum(struct __sk_buff *skb, int *out, const struct acc *a)
{
	if (!out || !a) return -1;
	for (int i = 0; i < limit && i < 50; i++) *out += a->text[i % 20];
	return skb->len + *out;
}
__noinline long global_scalar(long a, int b, unsigned char c) { return a * b + c; }
__weak int global_weak(struct acc *a) { return a ? a->n : 0; }
SEC("tc")
int iterate(struct __sk_buff *skb)
{
	struct acc a = {};
	int out = 3;
	bpf_for_each_map_elem(&h, each, &a, 0);
	long n = bpf_loop(limit, step, &a, 0);
	bpf_loop(1 << 20, nested, &a, 0);
	if (n < 0) return TC_ACT_SHOT;
	long r = global_sum(skb, &out, &a) + global_scalar(n, out, 3) + global_weak(&a);
	return r > 1000 ? TC_ACT_SHOT : TC_ACT_OK;
}
SEC("tc")
int arm(struct __sk_buff *skb)
{
	__u32 k = skb->mark & 3;
	struct elem *e = bpf_map_lookup_elem(&timers, &k);
	if (!e) return 0;
	if (!bpf_timer_init(&e->t, &timers, 1)) { bpf_timer_set_callback(&e->t, fire); bpf_timer_start(&e->t, 5, 0); }
	return 0;
}
SEC("tc")
int chain(struct __sk_buff *skb)
{
	skb->cb[0]++;
	if (skb->cb[0] < 4) bpf_tail_call(skb, &jumps, skb->cb[0]);
	bpf_tail_call(skb, &jumps, 2);
	return TC_ACT_PIPE;
}
static __noinline int deep(struct __sk_buff *skb, int n) { char b[64] = {}; b[n & 63] = n; bpf_tail_call_static(skb, &jumps, 3); return b[skb->len & 63]; }
SEC("tc")
int from_sub(struct __sk_buff *skb) { return deep(skb, skb->mark) & 1; }
SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *ctx)
{
	if (ctx->user_port == 0x5000 && ctx->protocol == 6) { ctx->user_ip4 = 0x0100007f; ctx->user_port = 0x901f; }
	struct bpf_sock *sk = ctx->sk;
	if (sk) { struct plain *e = bpf_sk_storage_get(&sks, sk, 0, BPF_SK_STORAGE_GET_F_CREATE); if (e) e->n++; }
	return 1;
}
SEC("cgroup/recvmsg6") int recv6(struct bpf_sock_addr *ctx) { ctx->user_ip6[3] = ctx->user_ip6[0] ? 1 : 2; return 1; }
SEC("cgroup/sendmsg4") int send4(struct bpf_sock_addr *ctx) { return ctx->user_family == 2 ? 1 : 3; }
SEC("cgroup_skb/egress") int egress(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	if (!sk) return 1;
	sk = bpf_sk_fullsock(sk);
	if (!sk) return 1;
	struct bpf_tcp_sock *tp = bpf_tcp_sock(sk);
	return tp ? tp->snd_cwnd > 2 : sk->state < 3;
}
SEC("cgroup/sysctl") int sysctl(struct bpf_sysctl *ctx)
{
	char name[16], value[8];
	unsigned long v = 0;
	long n = bpf_sysctl_get_name(ctx, name, sizeof(name), 0);
	if (n < 0 || n > 16) return 0;
	n = bpf_sysctl_get_current_value(ctx, value, sizeof(value));
	if (n < 0 || n >= sizeof(value)) return 1;
	return bpf_strtoul(value, n, 0, &v) > 0 && v < 100;
}
SEC("cgroup/setsockopt") int setopt(struct bpf_sockopt *ctx) { int *p = ctx->optval; if ((void *)(p + 1) > ctx->optval_end) return 0; *p = ctx->level; ctx->optlen = 4; return 1; }
SEC("cgroup/getsockopt") int getopt(struct bpf_sockopt *ctx) { __u8 *p = ctx->optval; if (p + 16 > (__u8 *)ctx->optval_end) return 0; p[3] = p[ctx->optname & 15]; ctx->retval = 0; return 1; }
SEC("sockops") int ops(struct bpf_sock_ops *s) { int v = 1; if (s->op == 4 || s->op == 5) { bpf_setsockopt(s, 6, 1, &v, 4); bpf_sock_ops_cb_flags_set(s, 7); } s->reply = s->srtt_us >> 3; return 1; }
char _license[] SEC("license") = "GPL";
