// A record behind a dynptr is neither submitted nor discarded
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct event {
	__u32 pid;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

SEC("tc")
int log_packet(struct __sk_buff *skb)
{
	struct bpf_dynptr record;
	__u32 length = skb->len;

	if (bpf_ringbuf_reserve_dynptr(&events, 64, 0, &record) == 0)
		bpf_dynptr_write(&record, 0, &length, sizeof(length), 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
