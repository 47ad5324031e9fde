/* A list behind a lock that may fail, filled by a program that user space calls. */
#include <vmlinux.h>
#include <bpf_experimental.h>

#ifndef MISTAKE
#define MISTAKE 0 /* up to 4 */
#endif

struct bpf_res_spin_lock {
	__u32 val;
};

struct event {
	__u64 value;
	struct bpf_list_node node;
};

struct box {
	struct bpf_res_spin_lock lock;
	struct bpf_list_head events __contains(event, node);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct box);
} boxes SEC(".maps");

SEC("syscall")
int put(__u64 *ctx)
{
	struct event *event;
	struct box *box;
	__u32 zero = 0;

	box = bpf_map_lookup_elem(&boxes, &zero);
	if (!box)
		return 1;
	event = bpf_obj_new(typeof(*event));
	if (!event)
		return 2;
	event->value = bpf_ktime_get_ns();
#if MISTAKE == 1 /* the lock may not be had */
	bpf_res_spin_lock(&box->lock);
#else
	if (bpf_res_spin_lock(&box->lock)) {
#if MISTAKE != 2 /* then the object is still one's own */
		bpf_obj_drop(event);
#endif
		return 3;
	}
#endif
	bpf_list_push_back(&box->events, &event->node);
#if MISTAKE == 3 /* nothing of this kind under a lock */
	event = bpf_obj_new(typeof(*event));
	if (event)
		bpf_obj_drop(event);
#elif MISTAKE == 4 /* twice the same */
	if (!bpf_res_spin_lock(&box->lock))
		bpf_res_spin_unlock(&box->lock);
#endif
	bpf_res_spin_unlock(&box->lock);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
