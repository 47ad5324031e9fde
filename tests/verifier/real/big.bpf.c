// A parser unrolled: TLV options, extension headers, names, thousands of instructions.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#ifndef N
#define N 3
#endif
struct out { __u32 kinds[32]; __u64 bytes; __u8 name[64]; __u16 labels, depth; };
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __type(key, __u32); __type(value, struct out); __uint(max_entries, 1); } outs SEC(".maps");
const volatile int max_labels = 12;
static const char table[16] = "0123456789abcdef";
static __always_inline int options(struct out *o, __u8 *p, void *end, __u32 left)
{
#pragma unroll
	for (int i = 0; i < N; i++) {
		if (left == 0 || (void *)(p + 2) > end) return i;
		__u8 kind = p[0], len = p[1];
		if (kind == 0) return i;
		if (kind == 1) { p++; left--; continue; }
		if (len < 2 || len > left) return -1;
		o->kinds[kind & 31]++;
		if (kind == 3 && (void *)(p + 3) <= end) o->bytes += p[2];
		p += len; left -= len;
	}
	return N;
}
static __noinline int name(struct out *o, void *data, void *end)
{
	__u8 *p = data;
	__u32 at = 0;
	for (int i = 0; i < 6; i++) {
		if ((void *)(p + 1) > end) return -1;
		__u8 n = *p++;
		if (n == 0) return i;
		if (n & 0xc0 || i > max_labels) return -2;
		for (int j = 0; j < 3; j++) {
			if (j >= n) break;
			if ((void *)(p + 1) > end) return -3;
			__u8 c = *p++;
			if (c >= 'A' && c <= 'Z') c |= 0x20;
			if (at < 64) o->name[at++] = table[c & 15] ^ c;
		}
		o->labels++;
	}
	return 6;
}
SEC("xdp") int parse(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data; struct ipv6hdr *ip = (void *)(eth + 1);
	__u32 zero = 0; __u8 next;
	struct out *o = bpf_map_lookup_elem(&outs, &zero);
	if (!o || (void *)(ip + 1) > end) return XDP_DROP;
	next = ip->nexthdr;
	void *p = ip + 1;
#pragma unroll
	for (int i = 0; i < 3; i++) {
		__u8 *h = p;
		if (next != 0 && next != 43 && next != 60) break;
		if ((void *)(h + 8) > end) return XDP_DROP;
		next = h[0];
		p += (h[1] & 31) * 8 + 8;
		o->depth++;
	}
	if (next == 6) {
		struct tcphdr *t = p;
		if ((void *)(t + 1) > end) return XDP_DROP;
		if (options(o, (void *)(t + 1), end, (t->doff * 4 - 20) & 63) < 0) return XDP_DROP;
	} else if (next == 17)
		return name(o, p + 8, end) < 0 ? XDP_DROP : XDP_PASS;
	return XDP_PASS;
}
SEC("tc") int scan(struct __sk_buff *skb)
{
	char buf[8]; int words = 0, in = 0; __u32 hash = 5381;
	__u32 n = skb->len; if (n > sizeof(buf)) n = sizeof(buf);
	if (n == 0 || bpf_skb_load_bytes(skb, 0, buf, n)) return 0;
	for (__u32 i = 0; i < sizeof(buf); i++) {
		if (i >= n) break;
		char c = buf[i];
		if (c == ' ' || c == '\t') in = 0;
		else if (!in) { in = 1; words++; }
		hash = hash * 33 ^ c;
	}
	skb->mark = hash; return words > 3 ? 2 : 0;
}
char _license[] SEC("license") = "GPL";
