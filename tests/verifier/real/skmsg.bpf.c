// Sockets: sk_msg, sk_skb, lookup, references, spin locks.
#include <linux/bpf.h>
#include <linux/in.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
struct { __uint(type, BPF_MAP_TYPE_SOCKHASH); __type(key, __u64); __type(value, __u32); __uint(max_entries, 64); } socks SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_SOCKMAP); __type(key, __u32); __type(value, __u32); __uint(max_entries, 64); } sockets SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_QUEUE); __type(value, __u64); __uint(max_entries, 16); } q SEC(".maps");
struct val { struct bpf_spin_lock lock; __u64 tokens, last; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u32); __type(value, struct val); __uint(max_entries, 64); } buckets SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY); __type(key, __u32); __type(value, __u64); __uint(max_entries, 4); } reuse SEC(".maps");
SEC("sk_msg") int msg(struct sk_msg_md *m)
{
	__u64 key = (__u64)m->remote_ip4 << 32 | m->remote_port;
	bpf_msg_pull_data(m, 0, 16, 0);
	char *d = m->data;
	if (d + 16 > (char *)m->data_end) return SK_PASS;
	if (d[0] == 'G' && d[1] == 'E' && d[2] == 'T') { bpf_msg_apply_bytes(m, 16); return bpf_msg_redirect_hash(m, &socks, &key, BPF_F_INGRESS); }
	return SK_PASS;
}
SEC("sk_skb/stream_parser") int parser(struct __sk_buff *s) { return s->len; }
SEC("sk_skb/stream_verdict") int verdict(struct __sk_buff *s)
{
	if (bpf_skb_pull_data(s, 8) < 0) return SK_DROP;
	__u32 *d = (void *)(long)s->data;
	if ((void *)(d + 2) > (void *)(long)s->data_end) return SK_DROP;
	return bpf_sk_redirect_map(s, &sockets, d[1] & 63, 0);
}
SEC("tc") int lookup(struct __sk_buff *skb)
{
	struct bpf_sock_tuple t = {};
	struct iphdr_ { __u8 x[12]; __be32 s, d; } *ip = (void *)(long)skb->data + 14;
	if ((void *)(ip + 1) > (void *)(long)skb->data_end) return 0;
	t.ipv4.saddr = ip->s; t.ipv4.daddr = ip->d; t.ipv4.dport = bpf_htons(80);
	struct bpf_sock *sk = bpf_skc_lookup_tcp(skb, &t, sizeof(t.ipv4), -1, 0);
	if (!sk) return 0;
	if (sk->state == 10) { bpf_sk_release(sk); return 2; }
	long r = bpf_sk_assign(skb, sk, 0);
	bpf_sk_release(sk);
	return r ? 2 : 0;
}
SEC("tc") int leaks(struct __sk_buff *skb)
{
	struct bpf_sock_tuple t = {};
	struct bpf_sock *sk = bpf_sk_lookup_udp(skb, &t, sizeof(t.ipv4), -1, 0);
	if (!sk) return 0;
	if (sk->family == 2) return 1;
	bpf_sk_release(sk);
	return 0;
}
SEC("tc") int bucket(struct __sk_buff *skb)
{
	__u32 key = skb->mark; __u64 now = bpf_ktime_get_ns(), add;
	struct val *v = bpf_map_lookup_elem(&buckets, &key);
	int r = 0;
	if (!v) return 0;
	bpf_spin_lock(&v->lock);
	add = (now - v->last) / 1000;
	v->tokens += add;
	if (v->tokens > 1000) v->tokens = 1000;
	if (v->tokens < skb->len) r = 2; else { v->tokens -= skb->len; v->last = now; }
	bpf_spin_unlock(&v->lock);
	bpf_map_push_elem(&q, &now, BPF_EXIST);
	return r;
}
SEC("sk_lookup") int steer(struct bpf_sk_lookup *c)
{
	__u32 k = c->local_port == 7; struct bpf_sock *sk;
	if (c->family != 2 || c->protocol != IPPROTO_TCP) return SK_PASS;
	sk = bpf_map_lookup_elem(&sockets, &k);
	if (!sk) return SK_DROP;
	long e = bpf_sk_assign(c, sk, BPF_SK_LOOKUP_F_REPLACE);
	bpf_sk_release(sk);
	return e ? SK_DROP : SK_PASS;
}
SEC("sk_reuseport") int pick(struct sk_reuseport_md *m) { __u32 k = m->hash % 4; return bpf_sk_select_reuseport(m, &reuse, &k, 0) ? SK_DROP : SK_PASS; }
SEC("flow_dissector") int dissect(struct __sk_buff *skb) { struct bpf_flow_keys *k = skb->flow_keys; void *d = (void *)(long)skb->data; if (d + 20 > (void *)(long)skb->data_end) return BPF_DROP; k->ip_proto = *(__u8 *)(d + 9); k->nhoff += 14; k->thoff = k->nhoff + 20; return BPF_OK; }
SEC("socket") int count(struct __sk_buff *skb) { __u64 proto = 0; bpf_skb_load_bytes(skb, 23, &proto, 1); return proto == 6 ? skb->len : 0; }
char _license[] SEC("license") = "GPL";
