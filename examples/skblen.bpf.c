// SPDX-License-Identifier: Apache-2.0
// How long are the packets that loopback receives?  Follows skb -> dev -> name and reports skb -> len.
//
//     osmia run examples/skblen.bpf.c --do 'udp 9999 hello'
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "GPL";

// Since Linux 4.20 the function takes a pointer to its caller's skb pointer.
SEC("kprobe/__netif_receive_skb_core")
int BPF_KPROBE(report_length, struct sk_buff **pskb)
{
	struct sk_buff *skb = 0;
	char name[16] = {};

	bpf_probe_read_kernel(&skb, sizeof(skb), pskb);
	BPF_CORE_READ_STR_INTO(&name, skb, dev, name);
	if (name[0] != 'l' || name[1] != 'o' || name[2])
		return 0;
	bpf_printk("%s received %u bytes", name, BPF_CORE_READ(skb, len));
	return 0;
}
