// A socket that was looked up is not released
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

SEC("tc")
int known(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;

	sk = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), -1, 0);
	if (!sk)
		return 0;
	return sk->state == 1;
}

char LICENSE[] SEC("license") = "GPL";
