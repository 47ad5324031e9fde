// A load balancer: hashing, checksums by loop, encapsulation, several parsers.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <linux/in.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
struct vip { __be32 addr; __be16 port; __u8 proto; __u8 pad; };
struct vip_meta { __u32 flags, number; };
struct real { __be32 addr; __u8 mac[6]; __u8 flags; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, struct vip); __type(value, struct vip_meta); __uint(max_entries, 512); } vips SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, __u32); __type(value, __u32); __uint(max_entries, 65537); } ring SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, __u32); __type(value, struct real); __uint(max_entries, 4096); } reals SEC(".maps");
struct lru_inner { __uint(type, BPF_MAP_TYPE_LRU_HASH); __type(key, struct vip); __type(value, __u32); __uint(max_entries, 512); } inner SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 16); __type(key, __u32); __array(values, struct lru_inner); } per_cpu SEC(".maps") = { .values = { [0] = &inner } };
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __type(key, __u32); __type(value, __u64); __uint(max_entries, 512); } stats SEC(".maps");

static __always_inline __u32 rol(__u32 w, int s) { return w << s | w >> (32 - s); }
static __noinline __u32 jhash2(__u32 a, __u32 b, __u32 c)
{
	a += 0xdeadbeef; b += 0xdeadbeef; c += 0xdeadbeef;
	c ^= b; c -= rol(b, 14); a ^= c; a -= rol(c, 11); b ^= a; b -= rol(a, 25);
	c ^= b; c -= rol(b, 16); a ^= c; a -= rol(c, 4); b ^= a; b -= rol(a, 14); c ^= b; c -= rol(b, 24);
	return c;
}
static __always_inline __u16 fold(__u64 sum)
{
#pragma unroll
	for (int i = 0; i < 4; i++)
		if (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}
static __always_inline __u16 ip_sum(struct iphdr *ip)
{
	__u16 *w = (void *)ip;
	__u64 sum = 0;
#pragma unroll
	for (int i = 0; i < 10; i++)
		sum += w[i];
	return fold(sum);
}
static __noinline __u64 sum_bytes(__u16 *p, void *end, int max)
{
	__u64 sum = 0;
	for (int i = 0; i < 12; i++) {
		if (i >= max || (void *)(p + 1) > end)
			break;
		sum += *p++;
	}
	return sum;
}
static __always_inline __u64 whole(void *data, void *end)
{
	__u64 sum = 0;
	__u16 *p = data;
	for (int i = 0; i < 12; i++) {
		if ((void *)(p + 1) > end)
			break;
		sum += *p++;
	}
	if ((void *)p + 1 <= end)
		sum += *(__u8 *)p;
	return sum;
}
SEC("xdp.frags")
int balance(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data, old;
	struct iphdr *ip, *out;
	struct vip vip = {};
	__u32 cpu = bpf_get_smp_processor_id(), key, *at, *known;
	struct vip_meta *meta;
	struct real *real;
	void *lru;
	__u64 *stat, bytes = whole(data, end);

	if (data + sizeof(*eth) + sizeof(*ip) > end || eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = data + sizeof(*eth);
	if (ip->ihl != 5 || ip->frag_off & bpf_htons(0x3fff))
		return XDP_DROP;
	vip.addr = ip->daddr; vip.proto = ip->protocol;
	if (ip->protocol == IPPROTO_TCP) {
		struct tcphdr *t = (void *)(ip + 1);
		if ((void *)(t + 1) > end) return XDP_DROP;
		vip.port = t->dest;
	} else if (ip->protocol == IPPROTO_UDP) {
		struct udphdr *u = (void *)(ip + 1);
		if ((void *)(u + 1) > end) return XDP_DROP;
		vip.port = u->dest;
	} else
		return XDP_PASS;
	meta = bpf_map_lookup_elem(&vips, &vip);
	if (!meta) {
		vip.port = 0;
		meta = bpf_map_lookup_elem(&vips, &vip);
		if (!meta || meta->flags & 1)
			return XDP_PASS;
	}
	lru = bpf_map_lookup_elem(&per_cpu, &cpu);
	known = lru ? bpf_map_lookup_elem(lru, &vip) : 0;
	if (known)
		key = *known;
	else {
		key = jhash2(ip->saddr, ip->daddr, vip.port) % 65537;
		at = bpf_map_lookup_elem(&ring, &key);
		if (!at) return XDP_DROP;
		key = *at;
		if (lru) bpf_map_update_elem(lru, &vip, &key, BPF_ANY);
	}
	real = bpf_map_lookup_elem(&reals, &key);
	if (!real)
		return XDP_DROP;
	__u16 len = bpf_ntohs(ip->tot_len);
	bytes += sum_bytes((void *)(ip + 1), end, len & 31);
	old = *eth;
	__be32 saddr = ip->saddr;
	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(*ip)))
		return XDP_DROP;
	data = (void *)(long)ctx->data; end = (void *)(long)ctx->data_end;
	if (data + sizeof(*eth) + 2 * sizeof(*ip) > end)
		return XDP_DROP;
	eth = data; out = data + sizeof(*eth);
	*eth = old;
	__builtin_memcpy(eth->h_dest, real->mac, 6);
	out->version = 4; out->ihl = 5; out->tos = 0; out->tot_len = bpf_htons(len + sizeof(*ip));
	out->id = 0; out->frag_off = 0; out->ttl = 64; out->protocol = IPPROTO_IPIP; out->check = 0;
	out->saddr = saddr ^ 0x10ac; out->daddr = real->addr;
	out->check = ip_sum(out);
	key = meta->number;
	stat = bpf_map_lookup_elem(&stats, &key);
	if (stat) *stat += bytes;
	return XDP_TX;
}
char _license[] SEC("license") = "GPL";
