// A firewall: prefixes to drop, ports to allow, counters per CPU.
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

struct v4key { __u32 bits; __u8 addr[4]; };
struct v6key { __u32 bits; __u8 addr[16]; };
struct rule { __u32 action; __u64 hits; __u64 bytes; };
struct flow { __be32 src, dst; __be16 sport, dport; __u8 proto; };

struct { __uint(type, BPF_MAP_TYPE_LPM_TRIE); __type(key, struct v4key); __type(value, struct rule); __uint(max_entries, 1024); __uint(map_flags, BPF_F_NO_PREALLOC); } nets4 SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_LPM_TRIE); __type(key, struct v6key); __type(value, struct rule); __uint(max_entries, 1024); __uint(map_flags, BPF_F_NO_PREALLOC); } nets6 SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_LRU_HASH); __type(key, struct flow); __type(value, __u64); __uint(max_entries, 1024); } flows SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u16); __type(value, __u8); __uint(max_entries, 256); } ports SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __type(key, __u32); __type(value, struct rule); __uint(max_entries, 8); } counts SEC(".maps");

const volatile bool log_drops = true;
const volatile __u32 default_action = XDP_PASS;
const volatile __u16 blocked[8] = { 23, 135, 139, 445, 3389 };
__u64 dropped;

static __always_inline int count(__u32 what, __u64 len)
{
	struct rule *r = bpf_map_lookup_elem(&counts, &what);
	if (!r)
		return XDP_ABORTED;
	r->hits++;
	r->bytes += len;
	return what;
}

static __noinline bool is_blocked(__u16 port)
{
	for (int i = 0; i < 8; i++)
		if (blocked[i] && blocked[i] == port)
			return true;
	return false;
}

static __always_inline int ports_of(void *l4, void *end, __u8 proto, struct flow *f)
{
	if (proto == IPPROTO_TCP) {
		struct tcphdr *t = l4;
		if ((void *)(t + 1) > end)
			return -1;
		f->sport = t->source; f->dport = t->dest;
		return t->syn && !t->ack;
	}
	if (proto == IPPROTO_UDP) {
		struct udphdr *u = l4;
		if ((void *)(u + 1) > end)
			return -1;
		f->sport = u->source; f->dport = u->dest;
	}
	return 0;
}

static int v4(struct xdp_md *ctx, struct iphdr *ip, void *end)
{
	struct flow f = {};
	struct v4key key = { .bits = 32 };
	__u64 now = bpf_ktime_get_ns(), *seen;
	__u16 port;
	__u8 *ok;

	if ((void *)(ip + 1) > end || ip->ihl < 5)
		return XDP_ABORTED;
	__builtin_memcpy(key.addr, &ip->saddr, 4);
	struct rule *r = bpf_map_lookup_elem(&nets4, &key);
	if (r) {
		__sync_fetch_and_add(&r->hits, 1);
		return r->action & 3;
	}
	f.src = ip->saddr; f.dst = ip->daddr; f.proto = ip->protocol;
	int syn = ports_of((void *)ip + ip->ihl * 4, end, ip->protocol, &f);
	if (syn < 0)
		return XDP_ABORTED;
	port = bpf_ntohs(f.dport);
	if (is_blocked(port)) {
		dropped++;
		if (log_drops)
			bpf_printk("drop port %d from %x", port, f.src);
		return XDP_DROP;
	}
	seen = bpf_map_lookup_elem(&flows, &f);
	if (seen) {
		*seen = now;
		return XDP_PASS;
	}
	ok = bpf_map_lookup_elem(&ports, &port);
	if (!ok || !syn)
		return default_action;
	bpf_map_update_elem(&flows, &f, &now, BPF_ANY);
	return XDP_PASS;
}

SEC("xdp")
int firewall(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	__u16 proto;

	if ((void *)(eth + 1) > end)
		return XDP_ABORTED;
	proto = eth->h_proto;
	if (proto == bpf_htons(ETH_P_IP))
		return count(v4(ctx, data + sizeof(*eth), end), end - data);
	if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip6 = data + sizeof(*eth);
		struct v6key key = { .bits = 128 };
		if ((void *)(ip6 + 1) > end)
			return XDP_ABORTED;
		__builtin_memcpy(key.addr, &ip6->saddr, 16);
		struct rule *r = bpf_map_lookup_elem(&nets6, &key);
		if (r && r->action <= XDP_PASS)
			return count(r->action, end - data);
	}
	return count(XDP_PASS, end - data);
}
char _license[] SEC("license") = "GPL";
