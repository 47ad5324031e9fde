// SPDX-License-Identifier: Apache-2.0
// A callback over a map's elements: how many system calls did each command enter, and which most?
//
//     osmia run examples/foreach.bpf.c --do 'touch a; cat a; rm a'
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct command {
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct command);
	__type(value, __u64);
} calls SEC(".maps");

struct total {
	__u64 calls, commands, most;
	struct command busiest;
};

static long add_up(struct bpf_map *map, struct command *key, __u64 *value, struct total *total)
{
	total->calls += *value;
	total->commands++;
	if (*value > total->most) {
		total->most = *value;
		total->busiest = *key;
	}
	return 0;
}

SEC("tracepoint/raw_syscalls/sys_enter")
int count(void *ctx)
{
	struct command key = {};
	__u64 one = 1, *seen;

	bpf_get_current_comm(key.comm, sizeof(key.comm));
	seen = bpf_map_lookup_elem(&calls, &key);
	if (seen)
		__sync_fetch_and_add(seen, 1);
	else
		bpf_map_update_elem(&calls, &key, &one, BPF_ANY);
	return 0;
}

SEC("tracepoint/sched/sched_process_exit")
int report(void *ctx)
{
	struct total total = {};

	bpf_for_each_map_elem(&calls, add_up, &total, 0);
	bpf_printk("%llu calls by %llu commands, most by %s", total.calls, total.commands, total.busiest.comm);
	return 0;
}
