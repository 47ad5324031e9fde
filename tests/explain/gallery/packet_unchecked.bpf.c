// A packet header is read without looking at data_end
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

SEC("xdp")
int ipv4_only(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;

	return eth->h_proto == bpf_htons(0x0800) ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
