// SPDX-License-Identifier: Apache-2.0
// Reserves a record in a ring buffer, fills it from the packet and submits it.
#include "bench.h"

struct event {
	__u64 sequence;
	__u32 source, target;
	__u8 head[48];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} events SEC(".maps");

__u64 sequence;

PROGRAM(ringbuf)
{
	struct ethhdr *eth = DATA;
	struct iphdr *ip = (void *)(eth + 1);
	struct event *event;

	if ((void *)eth + 64 > END)
		return XDP_ABORTED;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return XDP_DROP;
	event->sequence = sequence++;
	event->source = ip->saddr;
	event->target = ip->daddr;
	__builtin_memcpy(event->head, eth, sizeof(event->head));
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	return XDP_PASS;
}
