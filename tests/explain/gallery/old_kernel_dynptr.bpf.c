// A dynptr on Linux 5.10
// options: kernel=5.10 live=no
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

	bpf_ringbuf_reserve_dynptr(&events, 64, 0, &record);
	bpf_ringbuf_discard_dynptr(&record, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
