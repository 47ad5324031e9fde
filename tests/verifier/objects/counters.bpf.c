/* Counters for each CPU, made when a flow is first seen. */
#include <vmlinux.h>
#include <bpf_experimental.h>

#ifndef MISTAKE
#define MISTAKE 0 /* up to 7 */
#endif

struct counter {
	__u64 packets;
	__u64 bytes;
#if MISTAKE == 1 /* only numbers */
	void *owner;
#elif MISTAKE == 2 /* 512 bytes at most */
	__u64 histogram[64];
#endif
};

struct flow {
	struct counter __percpu_kptr *counter;
	__u64 since;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct flow);
} flows SEC(".maps");

SEC("tc")
int count(struct __sk_buff *skb)
{
	__u32 key = skb->hash;
	struct flow *flow = bpf_map_lookup_elem(&flows, &key);
	struct counter __percpu_kptr *counter;
	struct counter *mine;

	if (!flow)
		return 0;
	bpf_rcu_read_lock();
	counter = flow->counter;
	if (!counter) {
		counter = bpf_percpu_obj_new(struct counter);
		if (!counter)
			goto out;
#if MISTAKE == 3 /* it has to be somewhere before it is used */
		mine = bpf_this_cpu_ptr(counter);
		mine->packets++;
#endif
		counter = bpf_kptr_xchg(&flow->counter, counter);
		if (counter) {
#if MISTAKE == 4 /* the function for other objects */
			bpf_obj_drop(counter);
#else
			bpf_percpu_obj_drop(counter);
#endif
			goto out;
		}
		counter = flow->counter;
#if MISTAKE != 5 /* it may be gone again */
		if (!counter)
			goto out;
#endif
	}
#if MISTAKE == 6 /* no CPU said */
	counter->packets++;
#else
	mine = bpf_this_cpu_ptr(counter);
	mine->packets++;
	mine->bytes += skb->len;
#endif
	mine = bpf_per_cpu_ptr(counter, 0);
	if (mine)
		flow->since = mine->packets;
out:
	bpf_rcu_read_unlock();
#if MISTAKE == 7 /* only under RCU does the counter stay */
	mine->packets = 0;
#endif
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
