// SPDX-License-Identifier: Apache-2.0
// Records for user space: every exec leaves one record in a ring buffer, with the command, its parent, and the file.
//
//     osmia run examples/ringbuf.bpf.c --do 'exec' --map-dump
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "GPL";

struct record {
	__u64 when;
	__u32 pid, parent;
	char comm[16];
	char file[64];
};

// Only what something global refers to gets into the object's BTF, where readers of the records look for it.
const struct record *unused_record;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} records SEC(".maps");

// What did not fit, because nobody read in time.
__u64 lost;

SEC("tracepoint/sched/sched_process_exec")
int report_exec(struct trace_event_raw_sched_process_exec *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct record *r = bpf_ringbuf_reserve(&records, sizeof(*r), 0);

	if (!r) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	r->when = bpf_ktime_get_ns();
	r->pid = bpf_get_current_pid_tgid() >> 32;
	r->parent = BPF_CORE_READ(task, real_parent, tgid);
	bpf_get_current_comm(r->comm, sizeof(r->comm));
	// A tracepoint's strings lie behind its record: the low half of __data_loc says how far.
	bpf_probe_read_kernel_str(r->file, sizeof(r->file), (void *)ctx + (ctx->__data_loc_filename & 0xffff));
	bpf_ringbuf_submit(r, 0);
	return 0;
}
